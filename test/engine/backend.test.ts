import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { ENGINE_NAMES, isSingleThreaded, probeEngines, runningEngine, startEngine } from "../../src/engine";
import { skipBecause } from "../skip";
import { SIMD_KERNELS_BASE64 } from "../../src/engine/simd/kernels.wasm";

describe("startEngine()", () => {
  after(async () => void (await startEngine("wasm")));

  it("startEngine() starts the engine that is asked for, and says which", async () => {
    assert.equal((await startEngine("cpu")).name, "cpu");
    assert.equal((await startEngine("wasm")).name, "wasm");
    assert.deepEqual(runningEngine(), await startEngine("auto"));
  });

  it("startEngine() refuses an unknown name and lists the known ones", async () => {
    await assert.rejects(startEngine("tpu"), {
      name: "RangeError",
      message: 'Cannot start engine "tpu": expected one of auto, gpu, native, wasm, cpu',
    });
  });

  it("startEngine() says why an engine is not available and what to do", async function () {
    const gpu = probeEngines().find(({ name }) => name === "gpu")!;
    if (gpu.available) skipBecause(this, "a GPU computes on this machine, so no engine is missing");
    await assert.rejects(startEngine("gpu"), new RegExp(`^Error: Cannot start engine "gpu": .*${gpu.reason!.slice(0, 10)}`));
  });
});

describe("probeEngines()", () => {
  it("probeEngines() lists every engine with a version or a reason", () => {
    const probes = probeEngines();
    assert.deepEqual(
      probes.map(({ name }) => name),
      [...ENGINE_NAMES],
    );
    for (const { available, reason, version } of probes) assert.ok(available ? version !== null && reason === null : reason);
    assert.ok(probes.find(({ name }) => name === "wasm")!.available);
  });
});

describe("isSingleThreaded()", () => {
  it("isSingleThreaded() tells the engines that need worker threads", () => {
    assert.deepEqual(ENGINE_NAMES.map(isSingleThreaded), [false, false, true, true]);
  });
});

describe("simd/build.cjs", () => {
  it("simd/build.cjs compiles the source to the committed bytes", async () => {
    const script = path.join(__dirname, "..", "..", "src", "engine", "simd", "build.cjs");
    await promisify(execFile)(process.execPath, [script, "--check"]);
    assert.ok(Buffer.from(SIMD_KERNELS_BASE64, "base64").length > 1000);
  });
});
