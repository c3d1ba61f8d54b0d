import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, extname, join, relative, resolve } from "node:path";
import type { Command } from "commander";
import { parse as parseYaml } from "yaml";
import { writeFileAtomic } from "../../checkpoints/atomic";
import { makeFolder } from "../../checkpoints/makeFolder";
import { formatNotebook, parseNotebook } from "../../kernel/run/notebook";
import { injectParameters, type NotebookParameters, shortParameters } from "../../kernel/run/parameters";
import { runNotebook } from "../../kernel/run/runNotebook";
import { interruptSignal } from "../interrupt";
import { printNote, UsageError } from "../output";

interface RunOptions {
  readonly all?: boolean;
  readonly out?: string;
  readonly timeout?: string;
  readonly parameters?: string;
  readonly short?: boolean;
  readonly allowErrors?: boolean;
}

/** `damlab run NOTEBOOK…`: runs notebooks in the damlab kernel, without Jupyter, and writes their outputs. */
export function registerRun(program: Command): void {
  program
    .command("run")
    .description("run notebooks without a browser and write their outputs into them")
    .argument("[notebooks...]", "notebooks; with --all folders (default: notebooks)")
    .option("--all", "run every notebook below the folders")
    .option("--out <folder>", "write the notebooks there and leave the originals")
    .option("--timeout <seconds>", "seconds that a cell may take")
    .option("--parameters <file>", "YAML or JSON: variables to set after the cell tagged parameters")
    .option("--short", "set the parameters of the notebook's short run")
    .option("--allow-errors", "go on after a cell that failed")
    .action(async (paths: string[], options: RunOptions) => {
      const timeout = secondsOf(options.timeout);
      const parameters = options.parameters === undefined ? {} : readParameters(options.parameters);
      const notebooks = options.all === true ? findNotebooks(paths) : paths.map((path) => ({ path, name: basename(path) }));
      if (notebooks.length === 0) throw new UsageError("Cannot run: expected notebooks, or --all");
      const failures: string[] = [];
      for (const { path, name } of notebooks) {
        const target = resolve(options.out ?? dirname(path), options.out === undefined ? basename(path) : name);
        // What is wrong with one notebook must not stop the others.
        const failure = await runOne(path, target, { ...options, timeout, parameters }).catch((error: Error) => error.message);
        if (failure !== undefined) failures.push(failure);
        if (interruptSignal().aborted) return;
      }
      if (failures.length > 0) throw new Error(failures.join("; "));
    });
}

interface OneOptions {
  readonly timeout: number | undefined;
  readonly parameters: NotebookParameters;
  readonly short?: boolean;
  readonly allowErrors?: boolean;
}

/** Runs one notebook, writes it, and returns what failed. */
async function runOne(path: string, target: string, { timeout, parameters, short, allowErrors }: OneOptions): Promise<string | undefined> {
  const notebook = parseNotebook(readNotebook(path), path);
  const unknown = injectParameters(notebook, { ...(short === true ? shortParameters(notebook) : {}), ...parameters });
  for (const name of unknown) printNote(`${path}: the cell tagged parameters does not declare "${name}"; it is set all the same`);
  // What could not be written must not be computed first.
  makeFolder(dirname(target));
  const began = performance.now();
  const failure = await runNotebook(notebook, {
    cwd: dirname(resolve(path)),
    signal: interruptSignal(),
    onCell: (index, total) => printNote(`${path}: cell ${index + 1} of ${total}`),
    ...(timeout !== undefined && { timeout }),
    ...(allowErrors === true && { allowErrors }),
  });
  await writeFileAtomic(target, formatNotebook(notebook));
  printNote(`${path}: ${((performance.now() - began) / 1000).toFixed(1)} s, written to ${relative(process.cwd(), target) || target}`);
  if (failure === undefined || allowErrors === true) return undefined;
  printNote(failure.traceback.join("\n"));
  return `Cannot run "${path}": cell ${failure.cell} failed: ${failure.ename}: ${failure.evalue.split("\n", 1)[0]}`;
}

function readNotebook(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new Error(`Cannot read notebook "${path}": ${(error as Error).message}`, { cause: error });
  }
}

function findNotebooks(folders: readonly string[]): { path: string; name: string }[] {
  const roots = folders.length > 0 ? folders : ["notebooks"];
  return roots.flatMap((root) => {
    if (!statSync(root).isDirectory()) return [{ path: root, name: basename(root) }];
    const files = readdirSync(root, { recursive: true, encoding: "utf8" });
    const notebooks = files.filter((file) => extname(file) === ".ipynb" && !file.includes(".ipynb_checkpoints")).sort();
    return notebooks.map((name) => ({ path: join(root, name), name }));
  });
}

function readParameters(file: string): NotebookParameters {
  const parsed: unknown = parseYaml(readFileSync(file, "utf8"));
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    throw new TypeError(`Cannot read parameters "${file}": expected names with values, got ${JSON.stringify(parsed)}`);
  return parsed as NotebookParameters;
}

function secondsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (!(seconds > 0)) throw new UsageError(`Cannot run: expected --timeout to be seconds above 0, got "${text}"`);
  return seconds;
}
