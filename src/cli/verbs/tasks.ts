import { type Command, Option } from "commander";
import { pasteTrigger, type Trigger } from "../../attacks";
import { writeFileAtomic, type WritableTensor, writeSafetensors } from "../../checkpoints";
import { drawContactSheet, isTaskId, loadTask, normalizePixels, type Split, SPLITS, type Task, TASK_IDS } from "../../tasks";
import { loadZooTrigger } from "../../zoo";
import { formatColumns, printJson, printText, UsageError } from "../output";

interface ShowOptions {
  readonly task: string;
  readonly split: Split;
  readonly perClass: number;
  readonly zoom: number;
  readonly out?: string;
  readonly json?: boolean;
}

interface ExportOptions {
  readonly task: string;
  readonly split: Split;
  readonly trigger?: string;
  readonly out: string;
  readonly json?: boolean;
}

/** `damlab tasks list`, `show` and `export`: the images of the desk suite, for people and for other programs. */
export function registerTasks(program: Command): void {
  const tasks = program.command("tasks").description("Show or export the images of a task.");
  tasks
    .command("list")
    .description("List the tasks with their classes and splits.")
    .option("--json", "print one JSON document")
    .action(({ json = false }: { json?: boolean }) => listTasks(json));
  tasks
    .command("show")
    .description("Draw a contact sheet: one row a class.")
    .requiredOption("--task <id>", `one of ${TASK_IDS.join(", ")}`)
    .addOption(splitOption())
    .option("--per-class <n>", "images of each class", positiveInteger, 10)
    .option("--zoom <n>", "screen pixels a pixel", positiveInteger, 3)
    .option("--out <file>", "PNG to write; default TASK-SPLIT.png")
    .option("--json", "print one JSON document")
    .action(showTask);
  tasks
    .command("export")
    .description("Write a split as safetensors: images F32 [n, 3, h, w] as a model takes them, labels I64 [n].")
    .addOption(new Option("--suite <name>", "suite of tasks").choices(["desk"]).default("desk"))
    .requiredOption("--task <id>", `one of ${TASK_IDS.join(", ")}`)
    .addOption(splitOption())
    .option("--trigger <name>", "paste this trigger on every image and add its target class, I64 []")
    .requiredOption("--out <file>", "safetensors file to write")
    .option("--json", "print one JSON document")
    .action(exportTask);
}

function listTasks(json: boolean): void {
  const tasks = TASK_IDS.map((id) => loadTask(id));
  if (json) return printJson(tasks.map(({ id, title, procedural, classes, splits }) => ({ id, title, procedural, classes, splits })));
  const rows = tasks.map(({ id, title, classes, splits }) => [
    id,
    title,
    `${classes.length}`,
    ...SPLITS.map((split) => `${splits[split]}`),
  ]);
  printText(formatColumns([["task", "title", "classes", ...SPLITS], ...rows]));
}

async function showTask({ task: id, split, perClass, zoom, out = `${id}-${split}.png`, json }: ShowOptions): Promise<void> {
  const task = findTask(id);
  await writeFileAtomic(out, await drawContactSheet(task, { split, perClass, zoom }));
  if (json) printJson({ task: id, title: task.title, split, file: out });
  else printText(`Wrote ${task.title}, ${split} split, to ${out}`);
}

async function exportTask({ task: id, split, trigger: name, out, json }: ExportOptions): Promise<void> {
  const task = findTask(id);
  const trigger = name === undefined ? undefined : await loadZooTrigger(name);
  const tensors = splitTensors(task, split, trigger);
  await writeSafetensors(out, tensors);
  const shapes = Object.fromEntries(tensors.map((tensor) => [tensor.name, tensor.shape]));
  if (json) printJson({ task: id, split, trigger: name ?? null, file: out, tensors: shapes });
  else printText(`Wrote ${tensors[0]!.shape[0]} images of ${task.title}, ${split} split${name ? `, with trigger ${name}` : ""}, to ${out}`);
}

/** The tensors of a split, in the split's order; `adapt` has no labels, whoever asks. */
function splitTensors(task: Task, split: Split, trigger?: Trigger): WritableTensor[] {
  const set = task.load(split);
  const pixels = normalizePixels(set.images);
  if (trigger) pasteTrigger(pixels, trigger, set);
  const tensors: WritableTensor[] = [{ name: "images", shape: [set.count, set.channels, set.height, set.width], values: pixels }];
  if ("labels" in set) tensors.push({ name: "labels", shape: [set.count], dtype: "I64", values: BigInt64Array.from(set.labels, BigInt) });
  if (trigger) tensors.push({ name: "target", shape: [], dtype: "I64", values: BigInt64Array.of(BigInt(trigger.target)) });
  return tensors;
}

function findTask(id: string): Task {
  if (!isTaskId(id)) throw new UsageError(`Cannot find task "${id}": expected one of ${TASK_IDS.join(", ")}`);
  return loadTask(id);
}

function splitOption(): Option {
  return new Option("--split <name>", "split of the task").choices(SPLITS).default("test");
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new UsageError(`Cannot read "${text}": expected a positive integer`);
  return value;
}
