/** What trained masks keep and prune, tensor by tensor and task vector by task vector. */
import type { NamedTensors } from "../checkpoints";
import { expandMask, type MaskLayout } from "../merging/adaptive";
import type { ParameterLayout } from "../training";
import type { MaskName } from "./run";

/** One number a mask; null where there is no such mask. */
export type MaskShares = Readonly<Record<MaskName, number | null>>;

/** What the masks do to one merged parameter tensor. An element is pruned where its probability sigmoid(Z) is below one half. */
export interface LayerMasks {
  readonly name: string;
  readonly elements: number;
  /** Expected fraction that is kept: mean of sigmoid(Z). */
  readonly density: MaskShares;
  /** Fraction of the elements that is pruned. */
  readonly pruned: MaskShares;
  /** Fraction of the elements that both masks prune; null unless there are both. */
  readonly prunedByBoth: number | null;
  /** Share of the squared norm of each task vector that M2 prunes, by task; null without M2, or where the task vector is zero. */
  readonly prunedOfTasks: Readonly<Record<string, number | null>>;
  /** Squared norm of each task vector, by task. */
  readonly squares: Readonly<Record<string, number>>;
}

/** Masks with what they lie on. */
export interface MaskDescription {
  readonly layout: MaskLayout;
  readonly parameters: ParameterLayout;
  /** Z of each mask. */
  readonly logits: ReadonlyMap<MaskName, Float32Array>;
}

/** Describes masks over merged parameters. @param taskVectors τ by task. */
export function describeMasks(
  { layout, parameters, logits }: MaskDescription,
  taskVectors: ReadonlyMap<string, NamedTensors>,
): LayerMasks[] {
  const probabilities = new Map([...logits].map(([name, values]) => [name, expandMask(layout, values.map(sigmoid))]));
  const [shared, backdoor] = [probabilities.get("shared"), probabilities.get("backdoor")];
  return parameters.map(({ name, start, end }) => {
    const share = (mask: Float32Array | undefined, of: (probability: number) => number): number | null =>
      mask === undefined ? null : meanOver(start, end, (i) => of(mask[i]!));
    const pruned = (probability: number): number => (probability < 0.5 ? 1 : 0);
    const squares: Record<string, number> = {};
    const prunedOfTasks: Record<string, number | null> = {};
    for (const [task, vector] of taskVectors) {
      const { values } = vector.get(name)!;
      squares[task] = (end - start) * meanOver(start, end, (i) => values[i - start]! ** 2);
      const lost = backdoor && (end - start) * meanOver(start, end, (i) => pruned(backdoor[i]!) * values[i - start]! ** 2);
      prunedOfTasks[task] = lost === undefined || squares[task] === 0 ? null : lost / squares[task];
    }
    return {
      name,
      elements: end - start,
      density: { shared: share(shared, (p) => p), backdoor: share(backdoor, (p) => p) },
      pruned: { shared: share(shared, pruned), backdoor: share(backdoor, pruned) },
      prunedByBoth: shared && backdoor ? meanOver(start, end, (i) => pruned(shared[i]!) * pruned(backdoor[i]!)) : null,
      prunedOfTasks,
      squares,
    };
  });
}

function meanOver(start: number, end: number, of: (index: number) => number): number {
  let sum = 0;
  for (let i = start; i < end; i++) sum += of(i);
  return sum / (end - start);
}

function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}
