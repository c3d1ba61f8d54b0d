/** What this machine has for damlab, what is missing, and how to get it. */
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { availableParallelism, totalmem } from "node:os";
import * as tf from "@tensorflow/tfjs-core";
import { type EngineProbe, probeEngines, startEngine } from "../engine";
import { measureGflops } from "../engine/native/verify";
import { damlabVersion } from "../engine/version";

/** Something outside of damlab's own dependencies that one of its parts can use. */
export interface Companion {
  readonly name: string;
  /** What it is for. */
  readonly purpose: string;
  readonly available: boolean;
  /** Why it is not available and how to get it; null when it is. */
  readonly reason: string | null;
  readonly version: string | null;
}

/** The findings of `damlab doctor`. */
export interface Diagnosis {
  readonly damlab: string;
  /** The engine that computes here: `DAMLAB_ENGINE`, by default the fastest available; null if none does. */
  readonly engine: string | null;
  /** Why no engine computes; null when one does. */
  readonly engineReason: string | null;
  /** Billions of operations a second of that engine, in products of float32 matrices; null where none computes. */
  readonly gflops: number | null;
  readonly engines: readonly EngineProbe[];
  /** Processor cores that this process may use. */
  readonly cores: number;
  /** Memory that this process may use: the machine's, or less where a container limits it. */
  readonly memoryBytes: number;
  readonly node: string;
  readonly platform: string;
  readonly companions: readonly Companion[];
}

/** Looks at the machine and computes some products on the engine, to see that it really runs, and how fast. */
export async function examineMachine(): Promise<Diagnosis> {
  const { engine, engineReason, gflops } = await tryEngine();
  return {
    damlab: damlabVersion(),
    engine,
    engineReason,
    gflops,
    engines: probeEngines(),
    cores: availableParallelism(),
    memoryBytes: usableMemory(),
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    companions: [probeDanfo(), ...PROGRAMS.map(probeProgram)],
  };
}

async function tryEngine(): Promise<Pick<Diagnosis, "engine" | "engineReason" | "gflops">> {
  try {
    const { name } = await startEngine();
    const product = tf.tidy(() => tf.matMul(tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]])).dataSync()[0]);
    if (product !== 11) throw new Error(`Cannot trust engine "${name}": expected 1 * 3 + 2 * 4 = 11, got ${product}`);
    return { engine: name, engineReason: null, gflops: measureGflops(name === "cpu" ? 128 : name === "wasm" ? 512 : 1024) };
  } catch (error) {
    return { engine: null, engineReason: error instanceof Error ? error.message : String(error), gflops: null };
  }
}

/** Node knows the limit of a container; without one it answers 0 or an absurdly large number. */
function usableMemory(): number {
  const limit = process.constrainedMemory?.() ?? 0;
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

interface Program {
  readonly name: string;
  readonly purpose: string;
  /** Command lines that print a version; the first that runs counts. */
  readonly commands: readonly (readonly [string, ...string[]])[];
  /** Finds the version in what is printed. */
  readonly pattern: RegExp;
  readonly remedy: string;
}

const PROGRAMS: readonly Program[] = [
  {
    name: "jupyter",
    purpose: "notebooks in a browser",
    commands: [["jupyter", "--version"]],
    pattern: /jupyterlab\s*:\s*(\d\S*)|notebook\s*:\s*(\d\S*)/i,
    remedy: "Python's JupyterLab is not installed: run pip install jupyterlab",
  },
  {
    name: "browser",
    purpose: "screenshots of notebooks in the wider tests",
    commands: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"].map((command) => [command, "--version"] as const),
    pattern: /(\d+(?:\.\d+)+)/,
    remedy: "no Chromium or Chrome is on the path: install your system's chromium package",
  },
  {
    name: "compiler",
    purpose: "building the native engine",
    commands: [
      ["g++", "--version"],
      ["c++", "--version"],
    ],
    pattern: /(\d+\.\d+(?:\.\d+)?)/,
    remedy: "no C++ compiler is on the path: install your system's g++ package",
  },
  {
    name: "nvidia",
    purpose: "the GPU engine",
    commands: [["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]],
    pattern: /^(.+)$/m,
    remedy: "no NVIDIA driver answers: install it if this machine has an NVIDIA GPU",
  },
];

function probeProgram({ name, purpose, commands, pattern, remedy }: Program): Companion {
  for (const [command, ...args] of commands) {
    const { status, stdout } = spawnSync(command, args, { encoding: "utf8", timeout: 20_000, stdio: ["ignore", "pipe", "ignore"] });
    const match = status === 0 ? pattern.exec(stdout) : null;
    if (match)
      return { name, purpose, available: true, reason: null, version: match.slice(1).find((group) => group !== undefined) ?? null };
  }
  return { name, purpose, available: false, reason: remedy, version: null };
}

/** Its manifest only: loading it starts a TensorFlow of its own. */
function probeDanfo(): Companion {
  const row = { name: "danfojs-node", purpose: "tables as DataFrames" };
  try {
    const { version } = createRequire(__filename)("danfojs-node/package.json") as { version: string };
    return { ...row, available: true, reason: null, version };
  } catch {
    const reason =
      'not installed: run npm install --ignore-scripts danfojs-node, after adding "overrides": {"xlsx": "0.18.5", ' +
      '"@tensorflow/tfjs-node": "npm:@tensorflow/tfjs@4.22.0"} to package.json where only the npm registry is reached';
    return { ...row, available: false, reason, version: null };
  }
}
