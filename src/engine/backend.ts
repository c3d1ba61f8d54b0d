/** Which TensorFlow.js backend computes: native TensorFlow on GPU or CPU, WebAssembly, or plain JavaScript. */
import { createRequire } from "node:module";
import * as tf from "@tensorflow/tfjs-core";
import { diagnoseGpu, surveyGpu } from "./native/gpu";
import { findInstallation, nativePackageFolder } from "./native/home";
import { loadTensorflowJs } from "./umbrella";
import { loadNative, type NativeBinding } from "./native/load";

/** The engines, fastest first; `auto` takes the first that is available. */
export const ENGINE_NAMES = ["gpu", "native", "wasm", "cpu"] as const;
/** One of `ENGINE_NAMES`. */
export type EngineName = (typeof ENGINE_NAMES)[number];

/** Whether one engine can compute here. */
export interface EngineProbe {
  readonly name: EngineName;
  readonly available: boolean;
  /** Why not, and how to get it; null when it is available. */
  readonly reason: string | null;
  /** Version of the library that computes; null when it is not installed. */
  readonly version: string | null;
}

/** The engine that computes in this process. */
export interface EngineReport {
  readonly name: EngineName;
  readonly version: string | null;
}

const resolver = createRequire(__filename);
let running: EngineReport | undefined;

/**
 * Starts an engine and makes it the one that all tensors of this process live on. Starting it again returns the running one.
 * @param requested Default: environment variable `DAMLAB_ENGINE`, else `auto`.
 * @throws {RangeError} if the name is unknown.
 * @throws {Error} if the engine is not available here; says why and how to get it.
 */
export async function startEngine(requested: string = process.env["DAMLAB_ENGINE"] || "auto"): Promise<EngineReport> {
  if (requested !== "auto" && !isEngineName(requested)) {
    throw new RangeError(`Cannot start engine "${requested}": expected one of auto, ${ENGINE_NAMES.join(", ")}`);
  }
  if (running && (requested === "auto" || requested === running.name)) return running;
  const candidates = requested === "auto" ? ENGINE_NAMES : [requested];
  for (const name of candidates) {
    const probe = probeEngine(name);
    if (!probe.available) {
      if (requested === "auto") continue;
      throw new Error(`Cannot start engine "${name}": ${probe.reason}`);
    }
    try {
      await activate(name);
    } catch (error) {
      if (requested !== "auto" || name !== "gpu") throw error;
      continue;
    }
    running = { name, version: probe.version };
    return running;
  }
  throw new Error(`Cannot start an engine: none of ${candidates.join(", ")} is available`);
}

/** The engine started by `startEngine`, if any. */
export function runningEngine(): EngineReport | undefined {
  return running;
}

/** Whether tensors are computed by a single-threaded engine, so that parallel work needs worker threads. */
export function isSingleThreaded(name: EngineName): boolean {
  return name === "wasm" || name === "cpu";
}

/** Looks at every engine without starting one. */
export function probeEngines(): EngineProbe[] {
  return ENGINE_NAMES.map(probeEngine);
}

function isEngineName(name: string): name is EngineName {
  return (ENGINE_NAMES as readonly string[]).includes(name);
}

function probeEngine(name: EngineName): EngineProbe {
  switch (name) {
    case "wasm":
      return probePackage(name, "@tensorflow/tfjs-backend-wasm");
    case "cpu":
      return probePackage(name, "@tensorflow/tfjs-backend-cpu");
    case "native":
    case "gpu":
      return probeNative(name);
  }
}

function probePackage(name: EngineName, packageName: string): EngineProbe {
  const version = installedVersion(packageName);
  return version === null
    ? { name, available: false, reason: `package ${packageName} is not installed: run npm install ${packageName}`, version }
    : { name, available: true, reason: null, version };
}

function probeNative(name: "native" | "gpu"): EngineProbe {
  const installation = findInstallation(name);
  const missing = (reason: string): EngineProbe => ({ name, available: false, reason, version: installation?.tensorflow ?? null });
  const obstacle = name === "gpu" ? diagnoseGpu(surveyGpu()) : null;
  if (obstacle !== null) return missing(obstacle);
  if (!installation) return missing(`not set up: run damlab setup native${name === "gpu" ? " --gpu" : ""}`);
  if (nativePackageFolder(installation) === null) return missing("its JavaScript package is gone: run damlab setup native again");
  return { name, available: true, reason: null, version: installation.tensorflow };
}

async function activate(name: EngineName): Promise<void> {
  loadTensorflowJs();
  if (name === "wasm" || name === "cpu") resolver(`@tensorflow/tfjs-backend-${name}`);
  else activateNative(name);
  tf.env().set("PROD", true); // else the plain backend advertises the native one on stderr
  const backend = name === "wasm" || name === "cpu" ? name : "tensorflow";
  if (!(await tf.setBackend(backend))) throw new Error(`Cannot start engine "${name}": TensorFlow.js refused backend "${backend}"`);
  await tf.ready();
}

function activateNative(name: "native" | "gpu"): void {
  let binding: NativeBinding;
  try {
    binding = loadNative(findInstallation(name)!, name === "gpu");
  } catch (error) {
    throw new Error(`Cannot start engine "${name}": TensorFlow does not load, ${firstLine(error)}; run damlab setup native again`);
  }
  if (name === "gpu" && !binding.isUsingGpuDevice()) {
    throw new Error(
      'Cannot start engine "gpu": TensorFlow uses no GPU here; damlab setup native --gpu says why, engine native computes on the CPU',
    );
  }
}

function installedVersion(packageName: string): string | null {
  try {
    return (resolver(`${packageName}/package.json`) as { version: string }).version;
  } catch {
    return null;
  }
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split("\n", 1)[0]!;
}
