import { latentTrigger, type Attacked } from "./report";

/**
 * Which triggers are pasted into which task's images: `own` (each task's own trigger: the attacker's where it is attacked, else its latent
 * one; and the attacked tasks' triggers on every task), `all` (every trigger on every task), or the names of triggers, each on every task.
 */
export type WantedTriggers = "own" | "all" | readonly string[];

/**
 * Trigger names for each task, the task's own first.
 * @param known All triggers that there are.
 * @throws {RangeError} if a trigger or an attacked task is not known.
 */
export function planTriggers(
  tasks: readonly string[],
  known: readonly string[],
  options: { readonly attacked?: Attacked; readonly wanted?: WantedTriggers } = {},
): Map<string, string[]> {
  const { attacked = {}, wanted = "own" } = options;
  const unknownTask = Object.keys(attacked).find((task) => !tasks.includes(task));
  if (unknownTask !== undefined) {
    throw new RangeError(`Cannot evaluate attacked task "${unknownTask}": expected one of ${tasks.join(", ")}`);
  }
  const plan = new Map<string, string[]>();
  for (const task of tasks) {
    const own = attacked[task] ?? latentTrigger(task);
    const others = wanted === "own" ? tasks.flatMap((other) => attacked[other] ?? []) : wanted === "all" ? known : wanted;
    const names = wanted === "own" || others.includes(own) ? [own, ...others] : [...others];
    plan.set(task, [...new Set(names)]);
  }
  for (const name of new Set([...plan.values()].flat())) {
    if (!known.includes(name)) throw new RangeError(`Cannot evaluate trigger "${name}": expected one of ${known.join(", ")}`);
  }
  return plan;
}
