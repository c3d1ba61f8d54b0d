import { readdirSync } from "node:fs";
import { extname, join } from "node:path";
import type { Command } from "commander";

/** One line for each verb, in the order of the help; so the help needs to load none of them. */
const SUMMARIES: Readonly<Record<string, string>> = {
  quickstart: "merge backdoored and clean desk models by each method, evaluate, report",
  doctor: "say what this machine has, what is missing, and how to get it",
  inspect: "list the tensors of a checkpoint; compare it with a base",
  tasks: "show or export the images of a task",
  zoo: "build or verify the shipped desk models",
  merge: "merge models by a recipe",
  evaluate: "measure accuracy and attack success of a model",
  sweep: "walk a parameter of a method over a range",
  defend: "compare defences against a backdoored merge",
  figures: "draw figures from results",
  setup: "install the native or GPU engine",
  kernel: "install, list or remove the Jupyter kernel",
  run: "run notebooks without a browser",
};

/** A verb that this build has. */
export interface Verb {
  readonly name: string;
  /** One line for the help; empty if only the verb's own file knows it. */
  readonly summary: string;
}

/** The verbs found in `verbs/` (one file each), those of the table first. */
export function listVerbs(): Verb[] {
  const extension = extname(__filename);
  const found = readdirSync(join(__dirname, "verbs"))
    .filter((file) => file.endsWith(extension) && !file.endsWith(".d.ts"))
    .map((file) => file.slice(0, -extension.length))
    .sort();
  const known = Object.keys(SUMMARIES);
  const rank = (name: string) => (known.includes(name) ? known.indexOf(name) : known.length);
  return found.sort((a, b) => rank(a) - rank(b)).map((name) => ({ name, summary: SUMMARIES[name] ?? "" }));
}

/**
 * Loads one verb's file and lets it add its command to the program.
 * @throws {TypeError} if the file exports no `register…` function.
 */
export function registerVerb(program: Command, name: string): void {
  // A path that is known only now: TypeScript's import would need it in the source.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const exported = require(join(__dirname, "verbs", name)) as Record<string, unknown>;
  const register = Object.entries(exported).find(([symbol]) => symbol.startsWith("register"))?.[1];
  if (typeof register !== "function") throw new TypeError(`Cannot load verb "${name}": expected its file to export a register function`);
  (register as (program: Command) => void)(program);
}
