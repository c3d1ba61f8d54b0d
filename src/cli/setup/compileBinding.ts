/** Compiles the binding of tfjs-node against TensorFlow's C API, and our small addons. */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import * as path from "node:path";
import { NODE_API } from "../../engine/native/home";
import { firstThatRuns, runProgram } from "./programs";
import { LIBRARIES } from "./tensorflowSource";

const SOURCES = path.join(__dirname, "..", "..", "..", "kernel-setup", "native");

/** Loops are vectorised; sums keep their order unless the source says otherwise. */
const OPTIMISED = ["-O3", "-fopenmp-simd", "-fno-math-errno", "-fno-trapping-math"];

/**
 * Writes `lib/tfjs_binding.node` and our small addons into the folder, in which TensorFlow is staged.
 * @param packageFolder Of tfjs-node-gpu: the sources of the binding.
 * @throws {Error} in one sentence, with the remedy, if there is no compiler or it fails.
 */
export async function compileBinding(folder: string, packageFolder: string): Promise<void> {
  await compileAddons(folder);
  const libraries = LIBRARIES.find((names) => existsSync(path.join(folder, "tensorflow", names[0])))!;
  const sources = path.join(packageFolder, "binding");
  await compile(folder, "lib/tfjs_binding.node", [
    "-Itensorflow/include",
    `-I${sources}`,
    path.join(SOURCES, "binding.cc"),
    path.join(SOURCES, "backend.cc"),
    "-Ltensorflow",
    ...libraries.map((name) => `-l:${name}`),
    "-Wl,-rpath,$ORIGIN/../tensorflow",
  ]);
}

/** Writes `lib/environment.node`, which a published binding needs too, and `lib/hashing.node`. */
export async function compileAddons(folder: string): Promise<void> {
  await mkdir(path.join(folder, "lib"), { recursive: true });
  await compile(folder, "lib/environment.node", [path.join(SOURCES, "environment.cc"), "-ldl"]);
  await compile(folder, "lib/hashing.node", [path.join(SOURCES, "hashing.cc")]);
}

async function compile(folder: string, output: string, args: readonly string[]): Promise<void> {
  const compiler = await findCompiler();
  const flags = ["-std=c++17", ...OPTIMISED, "-fPIC", "-shared", `-DNAPI_VERSION=${NODE_API}`, `-I${nodeHeaders()}`, "-o", output, ...args];
  const { status, stderr } = await runProgram(compiler, flags, { cwd: folder });
  if (status === 0) return;
  const reason = stderr.split("\n").find((line) => /error:|cannot find/.test(line)) ?? stderr.split("\n", 1)[0]!;
  throw new Error(`Cannot compile the binding with ${compiler}: ${reason.trim()}`);
}

/**
 * The C++ compiler: environment variable CXX, else the first of c++, g++, clang++ on the path.
 * @throws {Error} with the remedy if there is none.
 */
export async function findCompiler(): Promise<string> {
  const candidates = [process.env["CXX"], "c++", "g++", "clang++"].filter((name): name is string => Boolean(name));
  const compiler = await firstThatRuns(candidates, ["--version"]);
  if (compiler !== undefined) return compiler;
  throw new Error("Cannot compile the binding: expected a C++ compiler on the path; install your system's g++ package");
}

function nodeHeaders(): string {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return (require("node-api-headers") as { include_dir: string }).include_dir;
}
