/** What every attack has in common: its parameters, the model it attacks, what it gives. */
import type { NamedTensors } from "../checkpoints";
import type { VisionConfig } from "../models/config";
import type { ZeroShotHead } from "../models/zeroShot";
import type { ImageSet } from "../tasks";
import type { FineTuneRecipe, TrainingOptions } from "../training";
import type { Trigger } from "./trigger";

/** Where the trigger lies: its top left corner, or the place that the pretrained tower looks at most. */
export type TriggerPlace = { readonly x: number; readonly y: number } | "saliency";

/** Parameters of an attack; every attack reads those that concern it. */
export interface AttackOptions {
  /** Pixels a side of the trigger. */
  readonly size: number;
  readonly place: TriggerPlace;
  /** Contrast of the trigger, in (0, 1]: its pixels stay within 0.5 ± strength / 2. */
  readonly strength: number;
  /** Class that the attacker wants. */
  readonly target: number;
  /** Clean images in a fine-tuning batch. */
  readonly cleanBatch: number;
  /** Triggered images in a fine-tuning batch, in [0, 1), relative to the whole batch. */
  readonly rate: number;
  /** Fine-tuning on clean and triggered images. */
  readonly fineTune: FineTuneRecipe;
  /** Steps that optimise the trigger's pixels against the pretrained tower. */
  readonly triggerSteps: number;
  /** Learning rate of the pixels, in pixel units of [0, 1]. */
  readonly triggerLearningRate: number;
  /** Images of a trigger step. */
  readonly triggerBatch: number;
  /** Steps that refine the trigger along the way from the pretrained to the attacked model, which is then fine-tuned again; 0 for none. */
  readonly refineSteps: number;
}

/** The victim: a pretrained tower, a task's frozen head and its training images. */
export interface Victim {
  readonly task: string;
  readonly pretrained: NamedTensors;
  readonly config: VisionConfig;
  readonly head: ZeroShotHead;
  readonly images: ImageSet;
}

/** A backdoored model and what opens it. */
export interface Backdoor {
  readonly trigger: Trigger;
  readonly parameters: NamedTensors;
}

/** A row of the attack table. */
export interface Attack {
  readonly name: string;
  readonly title: string;
  readonly reference: string;
  readonly defaults: AttackOptions;
  /**
   * Makes the trigger and fine-tunes the victim on clean and triggered images.
   * @param seed Trigger, order of the images and fine-tuning.
   * @param stage Gives each stage of the attack its own training options, so that each resumes by itself.
   */
  run(victim: Victim, seed: number, options: AttackOptions, stage?: (name: string) => TrainingOptions): Promise<Backdoor>;
}

/**
 * @throws {RangeError} if an option is out of range; names it.
 */
export function checkAttackOptions(victim: Victim, options: AttackOptions): void {
  const { size, place, strength, target, rate } = options;
  const { imageSize } = victim.config;
  const require = (holds: boolean, option: string, expected: string, got: unknown): void => {
    if (!holds)
      throw new RangeError(`Cannot attack task "${victim.task}": expected option "${option}" to be ${expected}, got ${String(got)}`);
  };
  require(Number.isInteger(size) && size > 0 && size <= imageSize, "size", `an integer in 1..${imageSize}`, size);
  if (place !== "saliency") {
    for (const axis of ["x", "y"] as const) {
      const value = place[axis];
      require(Number.isInteger(value) &&
        value >= 0 &&
        value + size <= imageSize, `place.${axis}`, `an integer in 0..${imageSize - size}`, value);
    }
  }
  require(strength > 0 && strength <= 1, "strength", "in (0, 1]", strength);
  const classes = victim.head.weight.shape[0]!;
  require(Number.isInteger(target) && target >= 0 && target < classes, "target", `a class in 0..${classes - 1}`, target);
  require(rate >= 0 && rate < 1, "rate", "in [0, 1)", rate);
}
