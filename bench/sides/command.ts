/**
 * A round is a whole process, its start included.
 *
 *     command.ts PROGRAM WORD…
 */
import { spawn } from "node:child_process";
import * as path from "node:path";
import { serveRounds } from "./serve";

const [program, ...words] = process.argv.slice(2) as [string, ...string[]];

function runOnce(): Promise<void> {
  const child = spawn(program, words, { cwd: path.join(__dirname, "..", ".."), stdio: ["ignore", "ignore", "pipe"] });
  let errors = "";
  child.stderr.on("data", (text: Buffer) => (errors = (errors + String(text)).slice(-2000)));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0 ? resolve() : reject(new Error(`Cannot run "${program} ${words.join(" ")}": exit code ${code}: ${errors}`)),
    );
  });
}

void serveRounds({}, runOnce);
