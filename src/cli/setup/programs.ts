/** Other programs that the set-up calls: Python with pip, a C++ compiler, npm. */
import { execFile } from "node:child_process";

/** How a program ended; `status` is null when it is not on the path. */
export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, without a shell. */
export function runProgram(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(program, [...args], { ...options, maxBuffer: 1 << 26, encoding: "utf8" }, (error, stdout, stderr) => {
      const code: unknown = error ? (error as { code?: unknown }).code : 0;
      if (code === "ENOENT" || code === "EACCES") resolve({ status: null, stdout, stderr });
      else resolve({ status: typeof code === "number" ? code : 1, stdout, stderr: stderr || (error ? error.message : "") });
    });
  });
}

/** The first of the programs that runs with these arguments; undefined where none does. */
export async function firstThatRuns(programs: readonly string[], args: readonly string[]): Promise<string | undefined> {
  for (const program of programs) {
    if ((await runProgram(program, args)).status === 0) return program;
  }
  return undefined;
}

/** The last line that says something, for an error of one line. */
export function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)?.trim() ?? "";
}
