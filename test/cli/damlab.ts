import { run } from "../../src/cli/main";

/** Runs a command in this process; gives its exit code and what it said. */
export async function damlab(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const said = { stdout: "", stderr: "" };
  const originals = { stdout: process.stdout.write, stderr: process.stderr.write };
  for (const stream of ["stdout", "stderr"] as const) {
    process[stream].write = (text: string | Uint8Array) => ((said[stream] += String(text)), true);
  }
  try {
    return { code: await run(argv), ...said };
  } finally {
    process.stdout.write = originals.stdout;
    process.stderr.write = originals.stderr;
  }
}
