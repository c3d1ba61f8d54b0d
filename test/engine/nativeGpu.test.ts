import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { cudaLibraries, diagnoseGpu, explainGpuLog, type GpuSurvey, surveyGpu } from "../../src/engine/native/gpu";

const GOOD: GpuSurvey = { devices: ["/dev/nvidia0"], driver: "550.54.15", driverLibrary: "/usr/lib/libcuda.so.1", visible: undefined };

describe("diagnoseGpu()", () => {
  const cases: readonly [string, Partial<GpuSurvey>, RegExp | null][] = [
    ["a device with driver and library", {}, null],
    ["one of two devices chosen", { devices: ["/dev/nvidia0", "/dev/nvidia1"], visible: "1" }, null],
    ["WSL, whose driver is Windows'", { devices: ["/dev/dxg"], driver: null, driverLibrary: "/usr/lib/wsl/lib/libcuda.so.1" }, null],
    ["nothing", { devices: [], driver: null, driverLibrary: null }, /shows no NVIDIA GPU: install NVIDIA's driver if it has one/],
    ["a driver without device", { devices: [] }, /^driver 550\.54\.15 shows no device/],
    ["a device without driver", { driver: null }, /^\/dev\/nvidia0 is there but no driver is loaded/],
    ["an old driver", { driver: "470.82.01" }, /^driver 470\.82\.01 is too old: install 525 or newer$/],
    ["no library of the driver", { driverLibrary: null }, /libcuda\.so\.1 is missing: install NVIDIA's user-space driver/],
    ["WSL without the library", { devices: ["/dev/dxg"], driver: null, driverLibrary: null }, /update WSL and the driver in Windows/],
    ["hidden devices", { visible: "-1" }, /^CUDA_VISIBLE_DEVICES="-1" hides every GPU: unset it$/],
    ["hidden devices, empty", { visible: "" }, /^CUDA_VISIBLE_DEVICES="" hides/],
  ];
  for (const [name, changes, expected] of cases) {
    it(`diagnoseGpu() ${expected === null ? "has nothing against" : "explains"} ${name}`, () => {
      const reason = diagnoseGpu({ ...GOOD, ...changes });
      if (expected === null) assert.equal(reason, null);
      else assert.match(reason ?? "", expected);
    });
  }
});

describe("explainGpuLog()", () => {
  it("explainGpuLog() names missing libraries, driver mismatches, CUDA's errors and old devices", () => {
    const log = "W dso_loader.cc: Could not load dynamic library 'libcudnn.so.9'; dlerror: libcudnn.so.9: cannot open\n";
    assert.equal(explainGpuLog(log), "it does not find libcudnn.so.9: run damlab setup native --gpu again");
    assert.match(explainGpuLog("E cuda_diagnostics.cc: kernel version 550.1.0 does not match DSO version 545.2.0"), /restart the machine/);
    assert.match(explainGpuLog("failed call to cuInit: CUDA_ERROR_NO_DEVICE: no CUDA-capable device"), /CUDA says CUDA_ERROR_NO_DEVICE/);
    assert.match(explainGpuLog("W gpu_device.cc:2341] Cannot dlopen some GPU libraries. Skipping"), /does not find CUDA's libraries/);
    assert.match(explainGpuLog("Ignoring GPU with compute capability 3.5. The minimum required is 6.0."), /3\.5 is too old/);
    assert.match(explainGpuLog(""), /DAMLAB_DEBUG=1/);
  });
});

describe("surveyGpu() and cudaLibraries()", () => {
  let root: string;
  beforeEach(() => (root = mkdtempSync(path.join(os.tmpdir(), "damlab-gpu-"))));
  afterEach(() => rmSync(root, { recursive: true, force: true }));
  const put = (file: string, text = ""): void => {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  };

  it("surveyGpu() reads devices, driver and its library from the file system", () => {
    assert.deepEqual(surveyGpu(root, {}), { devices: [], driver: null, driverLibrary: null, visible: undefined });
    for (const name of ["nvidia1", "nvidia0", "nvidiactl", "nvidia-uvm"]) put(`dev/${name}`);
    put("proc/driver/nvidia/version", "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5\nGCC version: 12.2.0\n");
    put("usr/lib64/libcuda.so.1");
    assert.deepEqual(surveyGpu(root, { CUDA_VISIBLE_DEVICES: "0" }), {
      devices: ["/dev/nvidia0", "/dev/nvidia1"],
      driver: "550.54.15",
      driverLibrary: path.join(root, "usr/lib64/libcuda.so.1"),
      visible: "0",
    });
  });

  it("cudaLibraries() lists what an installation carries in the order of their needs", () => {
    for (const file of [
      "cudnn/lib/libcudnn.so.9",
      "cublas/lib/libcublas.so.12",
      "cublas/lib/libcublasLt.so.12",
      "cuda_runtime/lib/libcudart.so.12",
    ])
      put(`nvidia/${file}`);
    put("nvidia/cudnn/lib/libcudnn_ops.so.9");
    assert.deepEqual(
      cudaLibraries(root).map((file) => path.basename(file)),
      ["libcudart.so.12", "libcublasLt.so.12", "libcublas.so.12", "libcudnn.so.9"],
    );
    assert.deepEqual(cudaLibraries(path.join(root, "dev")), []);
  });
});
