import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kernelspecsFolder } from "../../src/kernel/install/kernelspec";
import { parseConnection } from "../../src/kernel/wire/connectionFile";

const LAUNCHER = join(__dirname, "..", "..", "src", "cli", "damlab.cjs");

describe("damlab kernel", () => {
  let prefix: string;
  before(() => (prefix = mkdtempSync(join(tmpdir(), "damlab-install-"))));
  after(() => rmSync(prefix, { recursive: true, force: true }));

  function kernel(...args: string[]) {
    const env = { ...process.env, JUPYTER_PATH: join(prefix, "share", "jupyter") };
    return spawnSync(process.execPath, [LAUNCHER, "kernel", ...args], { encoding: "utf8", env });
  }

  it("install writes the kernelspec and its logos, list finds it, remove takes it away", () => {
    const folder = join(prefix, "share", "jupyter", "kernels", "damlab");
    for (let time = 0; time < 2; time++) assert.equal(kernel("install", "--prefix", prefix).status, 0);
    assert.deepEqual(readdirSync(folder).sort(), ["kernel.json", "logo-32x32.png", "logo-64x64.png", "logo-svg.svg"]);
    const spec = JSON.parse(readFileSync(join(folder, "kernel.json"), "utf8"));
    assert.deepEqual([spec.language, spec.interrupt_mode, spec.argv.at(-1)], ["typescript", "message", "{connection_file}"]);
    assert.ok(existsSync(spec.argv[1]));
    assert.equal(spec.env.MALLOC_TRIM_THRESHOLD_, "8589934592");
    assert.deepEqual(readdirSync(join(prefix, "share", "jupyter", "kernels")), ["damlab"]);
    const listed = JSON.parse(kernel("list", "--json").stdout) as { folder: string; works: boolean }[];
    assert.ok(listed.some((found) => found.folder === folder && found.works));
    assert.equal(kernel("remove", "--prefix", prefix).status, 0);
    assert.equal(existsSync(folder), false);
    const { status, stderr } = kernel("remove", "--prefix", prefix);
    assert.deepEqual([status, stderr], [1, 'damlab: Cannot remove kernelspec "damlab": it is not installed there\n']);
  });

  it("install --user goes to the data folder of Jupyter; an empty variable names none", () => {
    const folder = (environment: NodeJS.ProcessEnv) => {
      const before = Object.keys(environment).map((name) => [name, process.env[name]] as const);
      Object.assign(process.env, environment);
      try {
        return kernelspecsFolder({});
      } finally {
        for (const [name, value] of before)
          if (value === undefined) delete process.env[name];
          else process.env[name] = value;
      }
    };
    assert.equal(folder({ JUPYTER_DATA_DIR: prefix }), join(prefix, "kernels"));
    const own = process.platform === "darwin" ? ["Library", "Jupyter"] : [".local", "share", "jupyter"];
    assert.equal(folder({ JUPYTER_DATA_DIR: "", XDG_DATA_HOME: "", HOME: prefix }), join(prefix, ...own, "kernels"));
  });

  it("install takes one place only", () => {
    assert.equal(kernel("install", "--user", "--prefix", prefix).status, 2);
  });
});

describe("parseConnection()", () => {
  const ports = { shell_port: 1, control_port: 2, iopub_port: 3, stdin_port: 4, hb_port: 5 };

  it("reads what a client writes", () => {
    const connection = parseConnection(JSON.stringify({ transport: "tcp", ip: "127.0.0.1", key: "k", ...ports }), "c.json");
    assert.deepEqual(connection, {
      transport: "tcp",
      ip: "127.0.0.1",
      key: "k",
      ports: { shell: 1, control: 2, iopub: 3, stdin: 4, hb: 5 },
    });
  });

  it("names the field that is wrong", () => {
    const broken = { transport: "tcp", ip: "127.0.0.1", key: "k", ...ports, hb_port: 0 };
    assert.throws(() => parseConnection(JSON.stringify(broken), "c.json"), {
      name: "TypeError",
      message: 'Cannot read connection file "c.json": expected hb_port to be a port number, got 0',
    });
    assert.throws(() => parseConnection("{", "c.json"), { name: "SyntaxError", message: /^Cannot read connection file "c\.json": / });
  });
});
