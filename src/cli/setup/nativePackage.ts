import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { NATIVE_PACKAGE, NATIVE_PACKAGE_VERSION, nativePackageFolder } from "../../engine/native/home";
import { lastLine, runProgram } from "./programs";

/** What tfjs-node-gpu's computing half requires beside TensorFlow.js itself. */
const PACKAGES = [
  [NATIVE_PACKAGE, NATIVE_PACKAGE_VERSION],
  ["google-protobuf", "3.21.4"],
] as const;

/**
 * The folder of package tfjs-node-gpu: the one beside damlab (a clone has it), else npm brings it into the installation. There it gets
 * damlab's own TensorFlow.js by a shim: a second copy would have tensors of its own.
 * @throws {Error} in one sentence, with the remedy, if npm is missing or fails.
 */
export async function stagePackage(staging: string, note: (text: string) => void): Promise<string> {
  const beside = nativePackageFolder();
  if (beside !== null) return beside;
  note(`Bringing ${NATIVE_PACKAGE} ${NATIVE_PACKAGE_VERSION} by npm`);
  for (const [name, version] of PACKAGES) await bring(staging, name, version);
  const shim = path.join(staging, "node_modules", "@tensorflow", "tfjs");
  await mkdir(shim, { recursive: true });
  await writeFile(path.join(shim, "package.json"), '{ "name": "@tensorflow/tfjs", "main": "index.js" }\n');
  await writeFile(path.join(shim, "index.js"), 'module.exports = globalThis[Symbol.for("damlab.tfjs")];\n');
  await mkdir(path.join(staging, "node_modules", "@tensorflow", "tfjs-core"), { recursive: true });
  await writeFile(
    path.join(staging, "node_modules", "@tensorflow", "tfjs-core", "index.js"),
    'module.exports = globalThis[Symbol.for("damlab.tfjs")];\n',
  );
  return path.join(staging, "node_modules", NATIVE_PACKAGE);
}

async function bring(staging: string, name: string, version: string): Promise<void> {
  const place = path.join(staging, ".npm");
  await mkdir(place, { recursive: true });
  const packed = await runProgram("npm", ["pack", "--silent", "--pack-destination", place, `${name}@${version}`], { cwd: place });
  if (packed.status === null) throw new Error(`Cannot bring ${name}: expected npm on the path; install Node.js with npm`);
  const archive = (await readdir(place)).find((file) => file.endsWith(".tgz"));
  if (packed.status !== 0 || archive === undefined) {
    throw new Error(`Cannot bring ${name}@${version}: npm says "${lastLine(packed.stderr)}"; check npm's registry and the network`);
  }
  const unpacked = await runProgram("tar", ["-xzf", archive], { cwd: place });
  if (unpacked.status !== 0) throw new Error(`Cannot unpack ${archive}: ${lastLine(unpacked.stderr)}`);
  const target = path.join(staging, "node_modules", name);
  await mkdir(path.dirname(target), { recursive: true });
  await rename(path.join(place, "package"), target);
  await rm(place, { recursive: true, force: true });
}
