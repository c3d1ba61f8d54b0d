import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

const LAUNCHER = join(__dirname, "..", "..", "src", "cli", "damlab.cjs");
const SRC = join(__dirname, "..", "..", "src", "cli");

function damlab(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const env = { ...process.env, DAMLAB_DEBUG: "", ...environment };
  return spawnSync(process.execPath, [LAUNCHER, ...args], { encoding: "utf8", env });
}

/** A process that runs TypeScript source, which may import from the command's room by `require(cli + "/…")`. */
function runSource(source: string) {
  const child = spawn(process.execPath, ["-r", "tsx/cjs", "-e", `const cli = ${JSON.stringify(SRC)};\n${source}`], {
    cwd: SRC,
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stdout.setEncoding("utf8");
  child.stderr.setEncoding("utf8");
  return child;
}

describe("damlab", function () {
  it("lists its verbs, each with a line, and ends with 0", () => {
    const { status, stdout, stderr } = damlab(["--help"]);
    assert.deepEqual([status, stderr], [0, ""]);
    assert.match(stdout, /^ {2}doctor {2,}say what this machine has/m);
  });

  it("shows the usage of one verb", () => {
    for (const args of [
      ["doctor", "--help"],
      ["help", "doctor"],
    ]) {
      const { status, stdout } = damlab(args);
      assert.equal(status, 0);
      assert.match(stdout, /^Usage: damlab doctor \[options\]/);
    }
  });

  it("prints its version", () => {
    assert.match(damlab(["--version"]).stdout, /^\d+\.\d+\.\d+\n$/);
  });

  it("starts in under a second, for it loads no verb that is not called", () => {
    const times = Array.from({ length: 3 }, () => {
      const began = performance.now();
      damlab(["--help"]);
      return performance.now() - began;
    });
    // 80 ms on an idle core; the bound leaves room for a busy machine.
    assert.ok(Math.min(...times) < 1000, times.join(" "));
  });

  it("ends with 2 and one line on wrong usage", () => {
    const cases: [string[], RegExp][] = [
      [["docter"], /^damlab: Cannot run "docter": no such verb, did you mean "doctor"\?\n$/],
      [["zzzzzzzzzz"], /^damlab: Cannot run "zzzzzzzzzz": no such verb, expected one of .*doctor.*\n$/],
      [["doctor", "--jason"], /^damlab: unknown option '--jason' \(Did you mean --json\?\)\n$/],
      [["doctor", "extra"], /^damlab: .*too many arguments.*\n$/],
    ];
    for (const [args, line] of cases) {
      const { status, stdout, stderr } = damlab(args);
      assert.deepEqual([status, stdout], [2, ""], args.join(" "));
      assert.match(stderr, line);
    }
  });

  it("ends with 2 and the help on stderr without a verb", () => {
    const { status, stdout, stderr } = damlab([]);
    assert.deepEqual([status, stdout], [2, ""]);
    assert.match(stderr, /^Usage: damlab/);
  });

  it("ends with 1 and one line on failure", () => {
    const { status, stderr } = damlab(["doctor"], { DAMLAB_ENGINE: "abacus" });
    assert.equal(status, 1);
    assert.match(stderr, /^damlab: Cannot start engine "abacus": expected one of .*\n$/);
  });

  it("shows the stack of a failure with --debug, before or after the verb", () => {
    for (const args of [
      ["--debug", "nothing"],
      ["nothing", "--debug"],
    ])
      assert.match(damlab(args).stderr, /\n {4}at /);
    assert.match(damlab(["nothing"], { DAMLAB_DEBUG: "1" }).stderr, /\n {4}at /);
  });

  it("ends quietly when its reader closes the pipe", async () => {
    const child = spawn(process.execPath, [LAUNCHER, "--help"], { stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.destroy();
    let complaint = "";
    child.stderr.on("data", (chunk) => (complaint += String(chunk)));
    assert.deepEqual([...(await once(child, "close")), complaint], [0, null, ""]);
  });
});

describe("listenForInterrupts()", () => {
  const LISTEN = `
    const { listenForInterrupts, interruptSignal } = require(cli + "/interrupt");
    listenForInterrupts();
    setInterval(() => {}, 1000);`;

  it("ends with 130 at once where nobody handles the interrupt", async () => {
    const child = runSource(`${LISTEN} console.log("ready");`);
    await once(child.stdout, "data");
    child.kill("SIGINT");
    assert.deepEqual(await once(child, "close"), [130, null]);
  });

  it("lets a verb that asked save its work first; a second interrupt ends it", async () => {
    const child = runSource(`${LISTEN}
      interruptSignal().addEventListener("abort", () => console.log("saving"));
      console.log("ready");`);
    assert.deepEqual(await once(child.stdout, "data"), ["ready\n"]);
    child.kill("SIGINT");
    assert.deepEqual(await once(child.stdout, "data"), ["saving\n"]);
    child.kill("SIGINT");
    assert.deepEqual(await once(child, "close"), [130, null]);
  });
});

describe("printJson()", () => {
  it("writes one document that any reader takes", async () => {
    const child = runSource(`
      const { printJson } = require(cli + "/output");
      printJson({ big: 2n ** 63n, nan: NaN, floats: Float32Array.of(0.5), longs: BigInt64Array.of(-1n), map: new Map([["a", 1]]) });`);
    const [text] = (await once(child.stdout, "data")) as [string];
    assert.ok(text.endsWith("}\n"));
    assert.deepEqual(JSON.parse(text), { big: "9223372036854775808", nan: null, floats: [0.5], longs: ["-1"], map: { a: 1 } });
  });
});

describe("damlab doctor", () => {
  it("prints one JSON document and nothing else on stdout", () => {
    const { status, stdout } = damlab(["doctor", "--json"], { DAMLAB_ENGINE: "wasm" });
    assert.equal(status, 0);
    const diagnosis = JSON.parse(stdout) as {
      engine: string;
      engines: { name: string; available: boolean; reason: string | null; version: string | null }[];
      cores: number;
      memoryBytes: number;
      companions: { name: string; available: boolean; reason: string | null }[];
    };
    assert.equal(diagnosis.engine, "wasm");
    assert.deepEqual(
      diagnosis.engines.map(({ name }) => name),
      ["gpu", "native", "wasm", "cpu"],
    );
    assert.ok(diagnosis.cores >= 1 && diagnosis.memoryBytes > 2 ** 28);
    // Whatever is missing comes with a way to get it; whatever is there needs no reason.
    for (const { name, available, reason } of [...diagnosis.engines, ...diagnosis.companions]) {
      assert.equal(reason === null, available, name);
    }
  });

  it("marks the engine that computes, for people", () => {
    const { status, stdout } = damlab(["doctor"], { DAMLAB_ENGINE: "cpu" });
    assert.equal(status, 0);
    assert.match(stdout, /^ {2}yes {2,}cpu +\S+ +computes here$/m);
  });
});
