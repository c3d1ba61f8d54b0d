import { existsSync } from "node:fs";
import { cp, mkdir, rm } from "node:fs/promises";
import * as path from "node:path";
import { NATIVE_PACKAGE, NATIVE_PACKAGE_VERSION, type NativeVariant } from "../../engine/native/home";
import { lastLine, runProgram } from "./programs";

/**
 * Puts the published binding and its TensorFlow into the installation, by the install script of the package itself.
 * @returns What was taken.
 * @throws {Error} in one sentence, with the remedy, if its files can't be had here.
 */
export async function stageOfficial(staging: string, variant: NativeVariant): Promise<string> {
  const name = variant === "gpu" ? NATIVE_PACKAGE : "@tensorflow/tfjs-node";
  const place = path.join(staging, ".official");
  await mkdir(place);
  const flags = ["--prefix", place, "--no-save", "--no-audit", "--no-fund", "--ignore-scripts=false"];
  const ended = await runProgram("npm", ["install", ...flags, `${name}@${NATIVE_PACKAGE_VERSION}`], { cwd: place });
  if (ended.status === null) throw new Error("Cannot bring the published binding: expected npm on the path; install Node.js with npm");
  const folder = path.join(place, "node_modules", name);
  const binding = path.join(folder, "lib", "napi-v8", "tfjs_binding.node");
  if (!existsSync(binding) || !existsSync(path.join(folder, "deps", "lib"))) {
    throw new Error(`Cannot bring the published binding: ${reasonOf(ended.stderr)}; leave out --official to compile one`);
  }
  // It looks for TensorFlow in ../../deps/lib.
  await cp(binding, path.join(staging, "lib", "napi-v8", "tfjs_binding.node"));
  await cp(path.join(folder, "deps", "lib"), path.join(staging, "deps", "lib"), { recursive: true, verbatimSymlinks: true });
  await rm(place, { recursive: true, force: true });
  return `${name} ${NATIVE_PACKAGE_VERSION}, published binary`;
}

function reasonOf(stderr: string): string {
  const network = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET|403|404)\b/.exec(stderr)?.[1];
  if (network !== undefined) return `its files come from a host that this machine does not reach (${network})`;
  const lines = stderr.split("\n").filter((line) => /err/i.test(line) && !/complete log/i.test(line));
  return `npm says "${lastLine(lines.join("\n")) || "nothing"}"`;
}
