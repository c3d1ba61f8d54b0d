/** The desk suite's tasks as test-time methods see them. */
import * as path from "node:path";
import { loadZeroShotHead, type ZeroShotHead } from "../../models";
import { isTaskId, loadTask, TASK_IDS, type UnlabelledImageSet } from "../../tasks";
import { deskFolder, readZoo } from "../../zoo";
import type { AdaptationTask } from "./adaptationTask";

/** Whose images are adapted on: those set apart for defenders, or the test images themselves, as in the papers. */
export type AdaptOn = "adapt" | "test";

/** A task's images without labels: whatever the split, they are not handed on. */
export function adaptationImages(task: string, adaptOn: AdaptOn = "adapt"): UnlabelledImageSet {
  const { images, count, channels, height, width }: UnlabelledImageSet = loadTask(task).load(adaptOn);
  return { images, count, channels, height, width };
}

/** Tasks with heads at hand, and their unlabelled images; `heads` has one a task. */
export function adaptationTasks(
  ids: readonly string[],
  heads: Readonly<Record<string, ZeroShotHead>>,
  adaptOn?: AdaptOn,
): AdaptationTask[] {
  return ids.map((id) => ({ name: id, head: heads[id]!, images: adaptationImages(id, adaptOn) }));
}

/** Tasks of a suite, ready for a test-time method. */
export interface SuiteTasks {
  readonly tasks: readonly AdaptationTask[];
  /** SHA-256 of each task's head, by task. */
  readonly headHashes: Readonly<Record<string, string>>;
}

/**
 * Loads heads and unlabelled images of a suite's tasks.
 * @param suite `desk`, or the folder of another zoo of the same tasks.
 * @param ids One a model that is merged.
 * @throws {RangeError} if the suite has no such task; {Error} if there is no such suite.
 */
export async function loadSuiteTasks(suite: string, ids: readonly string[], adaptOn: AdaptOn = "adapt"): Promise<SuiteTasks> {
  const folder = suite === "desk" ? deskFolder() : suite;
  const { heads } = await readZoo(folder);
  const tasks: AdaptationTask[] = [];
  const headHashes: Record<string, string> = {};
  for (const id of ids) {
    const head = heads[id];
    if (!isTaskId(id) || head === undefined) {
      const known = TASK_IDS.filter((task) => task in heads).join(", ");
      throw new RangeError(`Cannot adapt on task "${id}": expected one of suite "${suite}" (${known})`);
    }
    tasks.push({ name: id, head: await loadZeroShotHead(path.join(folder, head.file)), images: adaptationImages(id, adaptOn) });
    headHashes[id] = head.sha256;
  }
  return { tasks, headHashes };
}
