/** Finds TensorFlow's two libraries and its C headers: in Python's packages, in a folder, or in a wheel that pip brings. */
import { createHash } from "node:crypto";
import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { copyFile, cp, link, mkdir } from "node:fs/promises";
import * as path from "node:path";
import { pipeline } from "node:stream/promises";
import { type NativeVariant } from "../../engine/native/home";
import { downloadWheels } from "./pip";
import { firstThatRuns, lastLine, runProgram } from "./programs";

/** Where TensorFlow is to come from. */
export interface SourceWishes {
  readonly variant: NativeVariant;
  /** Exactly this version of TensorFlow. */
  readonly tensorflow?: string;
  /** This folder (`site-packages`, its `tensorflow`, or an unpacked C library) or wheel, and nothing else. */
  readonly from?: string;
  /** Says what takes long. */
  note(text: string): void;
}

/** TensorFlow, brought into a folder of ours: `tensorflow/` with libraries, `include/` with headers, `nvidia/` for the GPU. */
export interface StagedTensorflow {
  readonly source: string;
  readonly sha256: string | null;
}

/** The libraries by which the binding reaches TensorFlow: of a wheel, or of the C library's archive. */
export const LIBRARIES = [
  ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"],
  ["libtensorflow.so.2", "libtensorflow_framework.so.2"],
] as const;

/** The C headers and what they include, in every TensorFlow since 2.16. */
const HEADER = /(^|\/)(c\/([^/]+\/)*[^/]+|platform\/ctstring[^/]*)\.h$/;
const IN_WHEEL = "tensorflow/libtensorflow_(cc|framework)\\.so\\.2$|tensorflow/include/(.*/)?(c/.*|platform/ctstring[^/]*)\\.h$";
const IN_NVIDIA_WHEEL = "nvidia/.*\\.so(\\.[0-9]+)*$";

/** The version that is brought by pip unless another is asked for: the one that damlab is tested with. */
export const TESTED_TENSORFLOW = "2.21.0";

const UNPACK = path.join(__dirname, "..", "..", "..", "kernel-setup", "native", "unpack.py");

/**
 * Puts TensorFlow into the folder.
 * @throws {Error} in one sentence, with the remedy.
 */
export async function stageTensorflow(folder: string, wishes: SourceWishes): Promise<StagedTensorflow> {
  const { from, note } = wishes;
  if (from !== undefined) return from.endsWith(".whl") ? stageWheel(folder, path.resolve(from), wishes) : stageFolder(folder, from, wishes);
  const installed = await installedTensorflow(wishes);
  if (installed !== undefined) {
    note(`Taking TensorFlow from ${installed}`);
    return stageFolder(folder, installed, wishes);
  }
  const version = wishes.tensorflow ?? TESTED_TENSORFLOW;
  const project = wishes.variant === "gpu" ? "tensorflow" : "tensorflow-cpu";
  note(`Bringing ${project} ${version} by pip`);
  const [wheel] = await downloadWheels(path.join(folder, ".wheels"), [`${project}==${version}`]);
  return stageWheel(folder, wheel!, wishes);
}

/** The folder of Python's installed TensorFlow, if it is of the version and kind that is wanted. */
async function installedTensorflow({ tensorflow, variant }: SourceWishes): Promise<string | undefined> {
  const script =
    "import importlib.metadata as m, importlib.util as u, json\n" +
    "s = u.find_spec('tensorflow')\n" +
    "names = ('tensorflow', 'tensorflow-cpu', 'tensorflow-intel')\n" +
    "found = [d.version for n in names for d in m.distributions(name=n)]\n" +
    "print(json.dumps([s and list(s.submodule_search_locations or [])[0], found]))";
  const python = await firstThatRuns(["python3", "python"], ["--version"]);
  if (python === undefined) return undefined;
  const { status, stdout } = await runProgram(python, ["-c", script]);
  if (status !== 0) return undefined;
  const [folder, versions] = JSON.parse(lastLine(stdout)) as [string | null, string[]];
  if (folder === null || !LIBRARIES.some((names) => names.every((name) => existsSync(path.join(folder, name))))) return undefined;
  if (tensorflow !== undefined && !versions.includes(tensorflow)) return undefined;
  if (variant === "gpu" && !existsSync(path.join(folder, "..", "nvidia"))) return undefined;
  return folder;
}

async function stageFolder(folder: string, from: string, { variant }: SourceWishes): Promise<StagedTensorflow> {
  const root = [from, path.join(from, "tensorflow"), path.join(from, "lib")].find((each) =>
    LIBRARIES.some((names) => names.every((name) => existsSync(path.join(each, name)))),
  );
  const include = [root, from].map((each) => each && path.join(each, "include")).find((each) => each && existsSync(each));
  if (root === undefined || !include) {
    const missing = root === undefined ? LIBRARIES[0].join(" and ") : "the headers in include/";
    throw new Error(
      `Cannot take TensorFlow from "${from}": expected ${missing} there; ` +
        "give the folder tensorflow of Python's site-packages, a wheel, or leave --from out",
    );
  }
  const names = LIBRARIES.find((each) => each.every((name) => existsSync(path.join(root, name))))!;
  await mkdir(path.join(folder, "tensorflow"), { recursive: true });
  for (const name of names) await linkOrCopy(path.join(root, name), path.join(folder, "tensorflow", name));
  await copyTree(include, path.join(folder, "tensorflow", "include"), HEADER);
  const nvidia = path.join(root, "..", "nvidia");
  if (variant === "gpu" && existsSync(nvidia)) await copyTree(nvidia, path.join(folder, "nvidia"), /\.so(\.\d+)*$/);
  return { source: path.resolve(root), sha256: null };
}

async function stageWheel(folder: string, wheel: string, { variant, note }: SourceWishes): Promise<StagedTensorflow> {
  if (!existsSync(wheel)) throw new Error(`Cannot take TensorFlow from "${wheel}": expected a wheel, got nothing there`);
  const sha256 = await hashWheel(wheel);
  const { files, requires } = await unpackWheel(wheel, folder, IN_WHEEL);
  if (!files.includes(`tensorflow/${LIBRARIES[0][0]}`)) {
    throw new Error(
      `Cannot take TensorFlow from "${path.basename(wheel)}": expected tensorflow/${LIBRARIES[0][0]} in it; use the Linux wheel`,
    );
  }
  if (variant === "gpu") {
    const wanted = requires.flatMap((line) => nvidiaRequirement(line) ?? []);
    if (wanted.length === 0) throw new Error(`Cannot use "${path.basename(wheel)}" for the GPU: it names no nvidia-* packages`);
    note(`Bringing ${wanted.length} nvidia-* packages by pip`);
    for (const each of await downloadWheels(path.join(folder, ".wheels"), wanted)) await unpackWheel(each, folder, IN_NVIDIA_WHEEL);
  }
  return { source: path.basename(wheel), sha256 };
}

/** `nvidia-cublas-cu12<13.0,>=12.5.3.2; extra == "and-cuda"` -> the part before the marker. */
function nvidiaRequirement(line: string): string | undefined {
  const [requirement, marker] = line.split(";") as [string, string | undefined];
  return /and-cuda/.test(marker ?? "") && requirement.startsWith("nvidia") ? requirement.replace(/[\s()]/g, "") : undefined;
}

/** SHA-256 of a file, in hexadecimal. */
async function hashWheel(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  const digest = hash.digest("hex");
  const table = JSON.parse(readFileSync(path.join(path.dirname(UNPACK), "wheels.json"), "utf8")) as Record<string, string>;
  const expected = table[path.basename(file)];
  if (expected !== undefined && expected !== digest) {
    throw new Error(
      `Cannot trust "${path.basename(file)}": expected sha256 ${expected}, got ${digest}; check where pip takes packages from`,
    );
  }
  return digest;
}

async function unpackWheel(wheel: string, folder: string, pattern: string): Promise<{ files: string[]; requires: string[] }> {
  const python = await firstThatRuns(["python3", "python"], ["--version"]);
  if (python === undefined) throw new Error("Cannot unpack a wheel: expected python3 on the path; install your system's Python");
  const { status, stdout, stderr } = await runProgram(python, [UNPACK, wheel, folder, pattern]);
  if (status !== 0) throw new Error(`Cannot unpack "${path.basename(wheel)}": ${lastLine(stderr)}`);
  return JSON.parse(lastLine(stdout)) as { files: string[]; requires: string[] };
}

async function copyTree(from: string, to: string, pattern: RegExp): Promise<void> {
  const wanted = readdirSync(from, { recursive: true, encoding: "utf8" }).filter((name) => pattern.test(name.split(path.sep).join("/")));
  for (const name of wanted) {
    const source = path.join(from, name);
    if (!statSync(source).isFile()) continue;
    await mkdir(path.dirname(path.join(to, name)), { recursive: true });
    if (/\.h$/.test(name)) await cp(source, path.join(to, name));
    else await linkOrCopy(source, path.join(to, name));
  }
}

/** A hard link outlives the uninstallation of what it was taken from, and costs no disk. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  await link(from, to).catch(() => copyFile(from, to));
}
