import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { removeNative, setupNative } from "../../src/cli/setup/setupNative";
import { stageTensorflow } from "../../src/cli/setup/tensorflowSource";
import { skipBecause } from "../skip";

const QUIET = { variant: "cpu", note: () => undefined } as const;

/** Programs that do nothing but what these scripts say. */
const COMPILER = '#!/bin/sh\ncase "$1" in --version) exit 0 ;; esac\necho "kernels.h:1:1: error: no such thing" >&2\nexit 1\n';
const PYTHON_WITHOUT_PIP = '#!/bin/sh\ncase "$1" in --version) exit 0 ;; *) exit 1 ;; esac\n';
/** No TensorFlow is installed; pip fails with what FAKE_PIP says. */
const PYTHON = `#!/bin/sh
case "$1 $3" in
  "--version "*|"-m --version") exit 0 ;;
  "-m download") echo "$FAKE_PIP" >&2; exit 1 ;;
  *) echo '[null, []]' ;;
esac
`;

describe("setupNative()", () => {
  let folder: string;
  let home: string;
  const kept = { PATH: process.env["PATH"], CXX: process.env["CXX"], FAKE_PIP: process.env["FAKE_PIP"] };

  before(function () {
    if (process.platform !== "linux") skipBecause(this, "the native engine is made for Linux");
  });
  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), "damlab-setup-"));
    home = path.join(folder, "home");
    mkdirSync(path.join(folder, "bin"));
    process.env["PATH"] = path.join(folder, "bin");
    delete process.env["CXX"];
  });
  afterEach(() => {
    for (const [name, value] of Object.entries(kept)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    rmSync(folder, { recursive: true, force: true });
  });

  const offer = (programs: Record<string, string>): void => {
    for (const [name, script] of Object.entries(programs)) writeFileSync(path.join(folder, "bin", name), script, { mode: 0o755 });
  };
  const leftOver = (): string[] => (existsSync(home) ? readdirSync(home) : []);

  it("setupNative() asks for a compiler where there is none", async () => {
    await assert.rejects(
      setupNative(QUIET, home),
      /^Error: Cannot compile the binding: expected a C\+\+ compiler on the path; install your system's g\+\+ package$/,
    );
    assert.deepEqual(leftOver(), []);
  });

  it("setupNative() asks for pip where there is none, and names the way without it", async () => {
    offer({ "c++": COMPILER, python3: PYTHON_WITHOUT_PIP });
    await assert.rejects(setupNative(QUIET, home), /^Error: Cannot bring TensorFlow: expected python3 with pip on the path; .* --from$/);
    assert.deepEqual(leftOver(), []);
  });

  it("setupNative() says in one line what pip says", async () => {
    offer({ "c++": COMPILER, python3: PYTHON });
    process.env["FAKE_PIP"] = "ERROR: No matching distribution found for tensorflow-cpu==2.21.0";
    await assert.rejects(setupNative(QUIET, home), /^Error: Cannot bring tensorflow-cpu==2\.21\.0: pip says "No matching .*"; check pip's/);
    process.env["FAKE_PIP"] = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device";
    await assert.rejects(setupNative(QUIET, home), /: no space left on the disk; free some, or set DAMLAB_NATIVE_HOME/);
    assert.deepEqual(leftOver(), []);
  });

  it("setupNative() refuses a folder that is no TensorFlow, and says what it looked for", async () => {
    offer({ "c++": COMPILER });
    const place = path.join(folder, "empty");
    mkdirSync(place);
    await assert.rejects(
      setupNative({ ...QUIET, from: place }, home),
      /^Error: Cannot take TensorFlow from ".*empty": expected libtensorflow_cc\.so\.2 and libtensorflow_framework\.so\.2 there; give the/,
    );
    await assert.rejects(setupNative({ ...QUIET, from: path.join(folder, "none.whl") }, home), /expected a wheel, got nothing there/);
    assert.deepEqual(leftOver(), []);
  });

  it("setupNative() gives the compiler's first error in one line, and leaves nothing behind", async () => {
    offer({ "c++": COMPILER });
    const place = path.join(folder, "tensorflow");
    mkdirSync(path.join(place, "include", "tensorflow", "c"), { recursive: true });
    for (const name of ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"]) writeFileSync(path.join(place, name), "");
    writeFileSync(path.join(place, "include", "tensorflow", "c", "c_api.h"), "");
    await assert.rejects(
      setupNative({ ...QUIET, from: place }, home),
      /^Error: Cannot compile the binding with c\+\+: kernels\.h:1:1: error: no such thing$/,
    );
    assert.deepEqual(leftOver(), []);
    assert.ok(existsSync(path.join(place, "libtensorflow_cc.so.2")));
  });

  it("setupNative() says that the published binding can't be had, and what else to do", async () => {
    offer({ "c++": COMPILER, npm: '#!/bin/sh\necho "npm error getaddrinfo ENOTFOUND somewhere" >&2\nexit 1\n' });
    await assert.rejects(
      setupNative({ ...QUIET, official: true }, home),
      /^Error: Cannot bring the published binding: its files come from a host that this machine does not reach \(ENOTFOUND\); leave out --official/,
    );
    assert.deepEqual(leftOver(), []);
  });

  it("setupNative() removes what a killed set-up left, and only that", async () => {
    offer({});
    mkdirSync(path.join(home, ".staging-999999999-dead"), { recursive: true });
    mkdirSync(path.join(home, `.staging-${process.pid}-alive`));
    offer({ "c++": COMPILER });
    await assert.rejects(setupNative({ ...QUIET, from: path.join(folder, "nowhere") }, home));
    assert.deepEqual(leftOver(), [`.staging-${process.pid}-alive`]);
  });

  it("removeNative() removes installations and nothing else", async () => {
    mkdirSync(path.join(home, "tfjs-4.22.0_tensorflow-2.21.0"), { recursive: true });
    mkdirSync(path.join(home, "notes"));
    assert.deepEqual(await removeNative(home), [path.join(home, "tfjs-4.22.0_tensorflow-2.21.0")]);
    assert.deepEqual(leftOver(), ["notes"]);
    assert.deepEqual(await removeNative(path.join(folder, "nowhere")), []);
  });

  describe("with a wheel", () => {
    const NAMES = [
      "tensorflow/libtensorflow_cc.so.2",
      "tensorflow/libtensorflow_framework.so.2",
      "tensorflow/include/tensorflow/c/c_api.h",
    ];
    const WRITE = `
import base64, hashlib, sys, zipfile
path, spoiled = sys.argv[1], sys.argv[2]
rows = []
with zipfile.ZipFile(path, "w") as wheel:
    for name in sys.argv[3:]:
        content = name.encode()
        digest = base64.urlsafe_b64encode(hashlib.sha256(content + (b"!" if name == spoiled else b"")).digest()).rstrip(b"=").decode()
        wheel.writestr(name, content)
        rows.append(f"{name},sha256={digest},{len(content)}")
    wheel.writestr("tensorflow_cpu-9.9.9.dist-info/METADATA", "Name: tensorflow-cpu\\nVersion: 9.9.9\\n")
    wheel.writestr("tensorflow_cpu-9.9.9.dist-info/RECORD", "\\n".join(rows))
`;
    let wheel: string;

    beforeEach(function () {
      process.env["PATH"] = kept.PATH;
      try {
        execFileSync("python3", ["--version"], { stdio: "ignore" });
      } catch {
        skipBecause(this, "no python3 is on the path");
      }
      wheel = path.join(folder, "tensorflow_cpu-9.9.9-cp312-cp312-manylinux_2_27_x86_64.whl");
    });
    const write = (spoiled = "") => execFileSync("python3", ["-c", WRITE, wheel, spoiled, ...NAMES, "tensorflow/python/much.so"]);

    it("stageTensorflow() takes the libraries and the C headers out of a wheel, and nothing else", async () => {
      write();
      const staged = await stageTensorflow(folder, { ...QUIET, from: wheel });
      assert.equal(staged.source, path.basename(wheel));
      assert.match(staged.sha256!, /^[0-9a-f]{64}$/);
      assert.ok(NAMES.every((name) => existsSync(path.join(folder, name))));
      assert.ok(!existsSync(path.join(folder, "tensorflow", "python")));
    });

    it("stageTensorflow() refuses a wheel whose content differs from its record", async () => {
      write(NAMES[1]);
      await assert.rejects(
        stageTensorflow(folder, { ...QUIET, from: wheel }),
        /^Error: Cannot unpack ".*\.whl": tensorflow\/libtensorflow_framework\.so\.2 differs from the wheel's record$/,
      );
    });

    it("stageTensorflow() refuses another file under the name of a wheel whose hash is on record", async () => {
      wheel = path.join(folder, "tensorflow_cpu-2.21.0-cp312-cp312-manylinux_2_27_x86_64.whl");
      write();
      await assert.rejects(stageTensorflow(folder, { ...QUIET, from: wheel }), /^Error: Cannot trust ".*": expected sha256 dcc8afd3/);
    });
  });
});
