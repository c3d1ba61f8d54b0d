import { readdir } from "node:fs/promises";
import * as path from "node:path";
import { firstThatRuns, lastLine, runProgram } from "./programs";

/** The libraries inside do not depend on Python, so any wheel of the version will do: this one's hash is on record. */
const PYTHON_TAG = { version: "3.12", abi: "cp312" };

/**
 * Downloads wheels, and nothing that they depend on, from where pip is configured to take packages. pip checks each against its index's hash.
 * @param requirements As `name==version`.
 * @returns Their files, in the order of the requirements.
 * @throws {Error} in one sentence, with the remedy, if Python or pip is missing or pip fails.
 */
export async function downloadWheels(folder: string, requirements: readonly string[]): Promise<string[]> {
  const python = await firstThatRuns(["python3", "python"], ["-m", "pip", "--version"]);
  if (python === undefined) {
    throw new Error(
      "Cannot bring TensorFlow: expected python3 with pip on the path; install your system's python3-pip package, " +
        "or give a TensorFlow that you have with --from",
    );
  }
  const found: string[] = [];
  for (const requirement of requirements) {
    const place = path.join(folder, String(found.length));
    const common = ["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", place];
    const platforms = platformTags().flatMap((tag) => ["--platform", tag]);
    const fixed = [
      "--implementation",
      "cp",
      "--python-version",
      PYTHON_TAG.version,
      "--abi",
      PYTHON_TAG.abi,
      "--abi",
      "none",
      ...platforms,
    ];
    const first = await runProgram(python, [...common, ...fixed, requirement]);
    const ended = first.status === 0 ? first : await runProgram(python, [...common, requirement]);
    if (ended.status !== 0) throw new Error(`Cannot bring ${requirement}: ${reasonOf(first.stderr)}`);
    found.push(
      path.join(
        place,
        (await readdir(place)).find((name) => name.endsWith(".whl"))!,
      ),
    );
  }
  return found;
}

/** The platforms whose wheels run here: every manylinux up to this machine's C library. */
function platformTags(): string[] {
  const architecture = process.arch === "arm64" ? "aarch64" : "x86_64";
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  const minor = Number(report?.header?.glibcVersionRuntime?.split(".")[1] ?? 17);
  const tags: string[] = [];
  for (let version = minor; version >= 17; version--) tags.push(`manylinux_2_${version}_${architecture}`);
  return [...tags, `manylinux2014_${architecture}`];
}

function reasonOf(stderr: string): string {
  if (/No space left/i.test(stderr)) return "no space left on the disk; free some, or set DAMLAB_NATIVE_HOME to a folder elsewhere";
  const errors = stderr.split("\n").filter((line) => line.startsWith("ERROR"));
  return `pip says "${lastLine(errors.join("\n") || stderr).replace(/^ERROR: /, "")}"; check pip's index and the network, or use --from`;
}
