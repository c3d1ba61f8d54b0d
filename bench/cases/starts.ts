/** What people wait for. */
import * as path from "node:path";
import type { BenchCase } from "../harness/types";
import { ownPlain, reference } from "./contestants";

const ROOT = path.join(__dirname, "..", "..");
const node = (code: string): string[] => [process.execPath, "--input-type=module", "--eval", code];

/** Imports, the kernel's first answer, the first run. */
export const startCases: readonly BenchCase[] = [
  {
    name: "import",
    title: 'a process that does nothing but import: "damlab" in Node, torch and transformers in Python',
    ours: [ownPlain("damlab", "command", node('import "damlab"'), { seconds: 0.6 })],
    references: [reference("PyTorch and transformers", "imports", [])],
    rounds: 5,
  },
  {
    name: "kernel-start",
    title: "the Jupyter kernel from its start to the answer of the first cell",
    ours: [ownPlain("damlab", "kernelStart", [])],
    references: [],
    rounds: 3,
  },
  {
    name: "start",
    title: "npm start, the first run",
    ours: [ownPlain("damlab", "command", [process.execPath, path.join(ROOT, "src", "cli", "damlab.cjs"), "quickstart"])],
    references: [],
    rounds: 1,
    warmUps: 0,
    onRequest: true,
  },
];
