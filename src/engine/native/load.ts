/** Loads TensorFlow into this process and registers it as a backend of TensorFlow.js. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import * as path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { loadTensorflowJs } from "../umbrella";
import { cudaLibraries } from "./gpu";
import { type NativeInstallation, nativePackageFolder } from "./home";

/** What our own small addon does before TensorFlow is there; see `kernel-setup/native/environment.cc`. */
interface NativeEnvironment {
  setVariable(name: string, value: string): void;
  tuneAllocator(): void;
  muteErrors(): number;
  unmuteErrors(saved: number): void;
  openLibrary(path: string): string;
}

/** What the engine uses of the binding itself. */
export interface NativeBinding {
  readonly TF_Version: string;
  isUsingGpuDevice(): boolean;
}

let loaded: { folder: string; binding: NativeBinding } | undefined;

/** The binding in this process, if one is loaded. */
export function loadedBinding(): NativeBinding | undefined {
  return loaded?.binding;
}

/**
 * Loads an installation and registers backend `tensorflow`, once a process. TensorFlow's own log lines go nowhere, unless `DAMLAB_DEBUG=1`.
 * @param useGpu Whether it may compute on a GPU; only the first call decides.
 * @throws {Error} if the dynamic linker or TensorFlow refuses.
 */
export function loadNative(installation: Pick<NativeInstallation, "folder">, useGpu: boolean): NativeBinding {
  if (loaded) {
    if (!useGpu && loaded.binding.isUsingGpuDevice()) throw new Error("this process computes on the GPU already: start another one");
    return loaded.binding;
  }
  const load = createRequire(__filename);
  const environment = load(path.join(installation.folder, "lib", "environment.node")) as NativeEnvironment;
  for (const [name, value] of Object.entries(tensorflowVariables(useGpu))) environment.setVariable(name, value);
  if (!process.env["MALLOC_MMAP_MAX_"]) environment.tuneAllocator();
  const binding = quietly(environment, () => {
    // TensorFlow opens CUDA's libraries by name; those that are loaded already are found without any path.
    if (useGpu) for (const file of cudaLibraries(installation.folder)) environment.openLibrary(file);
    return load(bindingFile(installation.folder)) as NativeBinding;
  });
  registerBackend(installation, binding);
  loaded = { folder: installation.folder, binding };
  return binding;
}

/** A published binding lies where it finds its TensorFlow. */
function bindingFile(folder: string): string {
  const published = path.join(folder, "lib", "napi-v8", "tfjs_binding.node");
  return existsSync(published) ? published : path.join(folder, "lib", "tfjs_binding.node");
}

/** Variables that TensorFlow reads when it is loaded; those that the user has set stay. */
export function tensorflowVariables(useGpu: boolean): Record<string, string> {
  return {
    TF_CPP_MIN_LOG_LEVEL: process.env["DAMLAB_DEBUG"] === "1" ? "0" : "3",
    TF_NUM_INTRAOP_THREADS: String(availableParallelism()),
    TF_NUM_INTEROP_THREADS: "1",
    TF_FORCE_GPU_ALLOW_GROWTH: "true",
    // Products in TF32 keep three digits.
    ...(useGpu && { NVIDIA_TF32_OVERRIDE: "0" }),
    ...(!useGpu && { CUDA_VISIBLE_DEVICES: "-1" }),
  };
}

function quietly<T>(environment: NativeEnvironment, work: () => T): T {
  if (process.env["DAMLAB_DEBUG"] === "1") return work();
  const saved = environment.muteErrors();
  try {
    return work();
  } finally {
    environment.unmuteErrors(saved);
  }
}

/** The package's own entry file would look for the binding in its own folder, and ask node-pre-gyp where that is. */
function registerBackend(installation: Pick<NativeInstallation, "folder">, binding: NativeBinding): void {
  const folder = nativePackageFolder(installation);
  if (folder === null) throw new Error("its JavaScript package is gone: run damlab setup native again");
  const load = createRequire(__filename);
  // A package that the installation carries finds TensorFlow.js here.
  (globalThis as Record<symbol, unknown>)[Symbol.for("damlab.tfjs")] = loadTensorflowJs();
  load(path.join(folder, "dist", "register_all_kernels.js"));
  const { NodeJSKernelBackend } = load(path.join(folder, "dist", "nodejs_kernel_backend.js")) as {
    NodeJSKernelBackend: new (binding: NativeBinding, packageName: string) => tf.KernelBackend;
  };
  const backend = new NodeJSKernelBackend(binding, "@tensorflow/tfjs-node-gpu");
  tf.registerBackend("tensorflow", () => backend, 3);
}
