/** Where the native engine is installed: per user, one folder a version, shared by all projects. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import * as path from "node:path";
import envPaths from "env-paths";

/** The JavaScript half of the engine, and the sources of its binding. */
export const NATIVE_PACKAGE = "@tensorflow/tfjs-node-gpu";

/** The version of that package that damlab is made for. */
export const NATIVE_PACKAGE_VERSION = "4.22.0";

/** Node-API version that the binding is compiled for; every Node that damlab runs on has it. */
export const NODE_API = 8;

/** Raised whenever the compiled sources in `kernel-setup/native/` or the layout of an installation change. */
export const NATIVE_REVISION = 7;

/** Which hardware an installation computes on. */
export type NativeVariant = "cpu" | "gpu";

/** What `install.json` of an installation says. */
export interface NativeManifest {
  readonly tfjsNode: string;
  readonly tensorflow: string;
  readonly variant: NativeVariant;
  readonly nodeApi: number;
  /** As `linux-x64`. */
  readonly platform: string;
  readonly revision: number;
  /** Where TensorFlow came from: a wheel's file name, a folder. */
  readonly source: string;
  /** Of the wheel; null where the source was a folder. */
  readonly sha256: string | null;
  /** What the verification measured: products of 1024 x 1024 matrices. */
  readonly gflops: number;
}

/** One installation that fits this damlab and this machine. */
export interface NativeInstallation extends NativeManifest {
  readonly folder: string;
}

/** The folder of all installations: environment variable `DAMLAB_NATIVE_HOME`, else `damlab/native` in the user's data folder. */
export function nativeHome(): string {
  return process.env["DAMLAB_NATIVE_HOME"] || path.join(envPaths("damlab", { suffix: "" }).data, "native");
}

/** The name of an installation's folder: everything that decides whether it fits. */
export function installationName({ tensorflow, variant }: { tensorflow: string; variant: NativeVariant }): string {
  return `tfjs-${NATIVE_PACKAGE_VERSION}_tensorflow-${tensorflow}-${variant}_${platformName()}-napi${NODE_API}_r${NATIVE_REVISION}`;
}

/** As `linux-x64`. */
export function platformName(): string {
  return `${process.platform}-${process.arch}`;
}

/** The installations that fit, the newest TensorFlow first; folders without a readable `install.json` are no installations. */
export function listInstallations(home = nativeHome()): NativeInstallation[] {
  if (!existsSync(home)) return [];
  return readdirSync(home)
    .filter((name) => !name.startsWith("."))
    .map((name) => readInstallation(path.join(home, name)))
    .filter((found): found is NativeInstallation => found !== null && fits(found))
    .sort((a, b) => b.tensorflow.localeCompare(a.tensorflow, "en", { numeric: true }));
}

/** The installation of an engine; `native` makes do with the GPU's one, which computes on the CPU if it sees no device. */
export function findInstallation(engine: "native" | "gpu", installations = listInstallations()): NativeInstallation | undefined {
  const of = (variant: NativeVariant) => installations.find((each) => each.variant === variant);
  return engine === "gpu" ? of("gpu") : (of("cpu") ?? of("gpu"));
}

/**
 * The folder of the JavaScript package: the one beside damlab if it shares damlab's TensorFlow.js (a second copy would have tensors of its
 * own), else the one that the installation carries; null where there is none.
 */
export function nativePackageFolder(installation?: Pick<NativeInstallation, "folder">): string | null {
  try {
    const own = createRequire(__filename);
    const file = own.resolve(`${NATIVE_PACKAGE}/package.json`);
    const { version } = JSON.parse(readFileSync(file, "utf8")) as { version: string };
    const shared = createRequire(file).resolve(TFJS) === own.resolve(TFJS);
    if (shared && version === NATIVE_PACKAGE_VERSION) return path.dirname(file);
  } catch {
    // not beside damlab
  }
  const carried = installation && path.join(installation.folder, "node_modules", NATIVE_PACKAGE);
  return carried && existsSync(carried) ? carried : null;
}

const TFJS = "@tensorflow/tfjs";

function readInstallation(folder: string): NativeInstallation | null {
  try {
    return { ...(JSON.parse(readFileSync(path.join(folder, "install.json"), "utf8")) as NativeManifest), folder };
  } catch {
    return null;
  }
}

function fits({ tfjsNode, nodeApi, platform, revision }: NativeManifest): boolean {
  return tfjsNode === NATIVE_PACKAGE_VERSION && nodeApi === NODE_API && platform === platformName() && revision === NATIVE_REVISION;
}
