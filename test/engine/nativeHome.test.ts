import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import {
  findInstallation,
  installationName,
  listInstallations,
  type NativeInstallation,
  type NativeManifest,
  NATIVE_PACKAGE_VERSION,
  NATIVE_REVISION,
  NODE_API,
  platformName,
} from "../../src/engine/native/home";

const MANIFEST: NativeManifest = {
  tfjsNode: NATIVE_PACKAGE_VERSION,
  tensorflow: "2.21.0",
  variant: "cpu",
  nodeApi: NODE_API,
  platform: platformName(),
  revision: NATIVE_REVISION,
  source: "tensorflow_cpu-2.21.0.whl",
  sha256: null,
  gflops: 100,
};

describe("listInstallations()", () => {
  let home: string;
  beforeEach(() => (home = mkdtempSync(path.join(os.tmpdir(), "damlab-native-"))));
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  const install = (name: string, text: string): void => {
    mkdirSync(path.join(home, name));
    writeFileSync(path.join(home, name, "install.json"), text);
  };

  it("listInstallations() gives those that fit, the newest TensorFlow first", () => {
    for (const tensorflow of ["2.9.0", "2.21.0", "2.18.1"]) {
      install(installationName({ tensorflow, variant: "cpu" }), JSON.stringify({ ...MANIFEST, tensorflow }));
    }
    assert.deepEqual(
      listInstallations(home).map(({ tensorflow }) => tensorflow),
      ["2.21.0", "2.18.1", "2.9.0"],
    );
  });

  it("listInstallations() passes over what another damlab, Node or machine has made, and what is no installation", () => {
    install("revision", JSON.stringify({ ...MANIFEST, revision: NATIVE_REVISION + 1 }));
    install("platform", JSON.stringify({ ...MANIFEST, platform: "linux-riscv64" }));
    install("api", JSON.stringify({ ...MANIFEST, nodeApi: 99 }));
    install("tfjs", JSON.stringify({ ...MANIFEST, tfjsNode: "3.0.0" }));
    install("broken", '{"tfjsNode":');
    install(".staging-1-abc", JSON.stringify(MANIFEST));
    mkdirSync(path.join(home, "empty"));
    assert.deepEqual(listInstallations(home), []);
    assert.deepEqual(listInstallations(path.join(home, "nowhere")), []);
  });
});

describe("findInstallation()", () => {
  const of = (variant: "cpu" | "gpu"): NativeInstallation => ({ ...MANIFEST, variant, folder: variant });

  it("findInstallation() gives each engine its own, and native the GPU's where it has none", () => {
    assert.equal(findInstallation("native", [of("gpu"), of("cpu")])?.folder, "cpu");
    assert.equal(findInstallation("native", [of("gpu")])?.folder, "gpu");
    assert.equal(findInstallation("gpu", [of("cpu")]), undefined);
    assert.equal(findInstallation("gpu", [of("cpu"), of("gpu")])?.folder, "gpu");
  });
});
