/** Installs TensorFlow as an engine: staged beside its destination, compiled, tried in a child process, then put in place by a rename. */
import { randomUUID } from "node:crypto";
import { existsSync, statfsSync } from "node:fs";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import * as path from "node:path";
import {
  installationName,
  NATIVE_PACKAGE_VERSION,
  NATIVE_REVISION,
  NODE_API,
  nativeHome,
  type NativeInstallation,
  type NativeManifest,
  platformName,
} from "../../engine/native/home";
import { diagnoseGpu, explainGpuLog, surveyGpu } from "../../engine/native/gpu";
import { type NativeTrial } from "../../engine/native/verify";
import { compileBinding, compileAddons, findCompiler } from "./compileBinding";
import { stagePackage } from "./nativePackage";
import { stageOfficial } from "./officialBinding";
import { lastLine, runProgram } from "./programs";
import { type SourceWishes, type StagedTensorflow, stageTensorflow } from "./tensorflowSource";

/** What is to be installed. */
export interface NativeWishes extends SourceWishes {
  /** For the GPU: whether to leave out the check that a device computes, to prepare an image for another machine; default false. */
  readonly withoutDevice?: boolean;
  /** Whether to take the published binding with its old TensorFlow instead of compiling one; default false. */
  readonly official?: boolean;
}

/** Bytes that an installation takes while it is made: the wheel and what is unpacked of it. */
const ROOM_NEEDED = { cpu: 1.4e9, gpu: 9e9 };

/**
 * Installs the native engine for this user.
 * @returns The installation; an existing one of the same version is replaced.
 * @throws {Error} in one sentence, with the remedy; nothing is left behind.
 */
export async function setupNative(wishes: NativeWishes, home = nativeHome()): Promise<NativeInstallation> {
  if (process.platform !== "linux") {
    throw new Error(
      `Cannot set up the native engine on ${platformName()}: it is made for Linux (on Windows: WSL); engine wasm computes here`,
    );
  }
  if (wishes.variant === "gpu" && wishes.withoutDevice !== true) {
    const obstacle = diagnoseGpu(surveyGpu());
    if (obstacle !== null) throw new Error(`Cannot set up the GPU: ${obstacle}; to prepare for another machine, add --without-device`);
  }
  await findCompiler();
  await prepareHome(home, ROOM_NEEDED[wishes.variant]);
  const staging = path.join(home, `.staging-${process.pid}-${randomUUID().slice(0, 8)}`);
  try {
    await mkdir(staging);
    const packageFolder = await stagePackage(staging, wishes.note);
    const { source, sha256 } =
      wishes.official === true ? await bringOfficial(staging, wishes) : await build(staging, packageFolder, wishes);
    await Promise.all([".wheels", "tensorflow/include"].map((name) => rm(path.join(staging, name), { recursive: true, force: true })));
    wishes.note("Trying it: a product, a convolution, a gradient");
    const trial = await tryInstallation(staging, wishes);
    const manifest: NativeManifest = {
      tfjsNode: NATIVE_PACKAGE_VERSION,
      tensorflow: trial.tensorflow,
      variant: wishes.variant,
      nodeApi: NODE_API,
      platform: platformName(),
      revision: NATIVE_REVISION,
      source,
      sha256,
      gflops: trial.gflops,
    };
    await writeFile(path.join(staging, "install.json"), `${JSON.stringify(manifest, null, 2)}\n`);
    return { ...manifest, folder: await putInPlace(home, staging, installationName(manifest)) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") throw new Error(noRoom(home));
    throw error;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function build(staging: string, packageFolder: string, wishes: NativeWishes): Promise<StagedTensorflow> {
  const staged = await stageTensorflow(staging, wishes);
  wishes.note("Compiling the binding");
  await compileBinding(staging, packageFolder);
  return staged;
}

async function bringOfficial(staging: string, { variant, note }: NativeWishes): Promise<StagedTensorflow> {
  note("Bringing the published binding by npm");
  const source = await stageOfficial(staging, variant);
  await compileAddons(staging);
  return { source, sha256: null };
}

/**
 * Removes every installation of this user.
 * @returns The folders that are gone.
 */
export async function removeNative(home = nativeHome()): Promise<string[]> {
  const found = existsSync(home) ? await readdir(home) : [];
  const folders = found.filter((name) => name.startsWith("tfjs-") || name.startsWith(".staging-")).map((name) => path.join(home, name));
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
  return folders;
}

/** Runs the verification in a process of its own: a library that does not fit can end it. */
async function tryInstallation(folder: string, { variant, withoutDevice = false }: NativeWishes): Promise<NativeTrial> {
  const gpu = variant === "gpu" && !withoutDevice;
  const entry = path.join(__dirname, "..", "..", "engine", "native", `verify${path.extname(__filename)}`);
  const runner = path.join(__dirname, "..", "..", "..", "src", "engine", "workerEntry.cjs");
  const script =
    "require(process.argv[1])(JSON.parse(process.argv[2])).then((trial) => console.log(JSON.stringify(trial)), " +
    "(error) => { console.error(error.message); process.exitCode = 1; })";
  const request = { entry, name: "verifyNative", request: { folder, gpu } };
  const env = gpu ? { ...process.env, DAMLAB_DEBUG: "1" } : process.env;
  const ended = await runProgram(process.execPath, ["-e", script, runner, JSON.stringify(request)], { env });
  if (ended.status === 0) {
    const trial = JSON.parse(lastLine(ended.stdout)) as NativeTrial;
    if (gpu && !trial.gpu) throw new Error(`Cannot use the GPU: TensorFlow loads but computes on the CPU, ${explainGpuLog(ended.stderr)}`);
    return trial;
  }
  const reason = lastLine(ended.stderr) || "the process ended without a word: this processor or C library is too old for it";
  throw new Error(`Cannot use this TensorFlow: ${reason}; try another version with --tensorflow`);
}

async function prepareHome(home: string, room: number): Promise<void> {
  try {
    await mkdir(home, { recursive: true });
  } catch (error) {
    throw new Error(`Cannot write to "${home}": ${(error as Error).message}; set DAMLAB_NATIVE_HOME to a folder of yours`);
  }
  for (const name of await readdir(home)) {
    const owner = /^\.staging-(\d+)-/.exec(name)?.[1];
    if (owner !== undefined && !isAlive(Number(owner))) await rm(path.join(home, name), { recursive: true, force: true });
  }
  const { bavail, bsize } = statfsSync(home);
  if (bavail * bsize < room) throw new Error(noRoom(home, room, bavail * bsize));
}

function noRoom(home: string, room?: number, free?: number): string {
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  const sizes =
    room === undefined || free === undefined ? "no space left on the disk" : `expected ${gigabytes(room)} free, got ${gigabytes(free)}`;
  return `Cannot install in "${home}": ${sizes}; free some, or set DAMLAB_NATIVE_HOME to a folder elsewhere`;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Another process may be computing with the old one: it keeps its files open until it ends. */
async function putInPlace(home: string, staging: string, name: string): Promise<string> {
  const folder = path.join(home, name);
  const old = path.join(home, `.staging-${process.pid}-old-${randomUUID().slice(0, 8)}`);
  if (existsSync(folder)) await rename(folder, old);
  await rename(staging, folder);
  await rm(old, { recursive: true, force: true });
  return folder;
}
