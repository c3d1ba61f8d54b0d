/** Poisoned fine-tuning: clean batches with a share of triggered images that carry the target label. */
import type { NamedTensors } from "../checkpoints";
import { randomStream } from "../engine";
import { fineTune, joinBatches, labelledBatches, type BatchSource, type TrainingOptions } from "../training";
import type { AttackOptions, Victim } from "./attack";
import { pasteTrigger, type Trigger } from "./trigger";

/** Images of the victim with the trigger on them, all labelled as the target. */
export function triggeredBatches(clean: BatchSource, victim: Victim, trigger: Trigger): BatchSource {
  return (step) => {
    const batch = clean(step);
    pasteTrigger(batch.pixels, trigger, victim.images);
    return { ...batch, labels: batch.labels.fill(trigger.target) };
  };
}

/** Fine-tunes the victim on `cleanBatch` clean images a step and as many triggered ones as the rate asks for. */
export async function fineTunePoisoned(
  victim: Victim,
  trigger: Trigger,
  seed: number,
  { cleanBatch, rate, fineTune: recipe }: AttackOptions,
  options: TrainingOptions = {},
): Promise<NamedTensors> {
  const random = randomStream(seed, "attack", trigger.name);
  const triggered = Math.round((cleanBatch * rate) / (1 - rate));
  const sources = [labelledBatches(victim.images, cleanBatch, random.child("clean"))];
  if (triggered > 0) {
    sources.push(triggeredBatches(labelledBatches(victim.images, triggered, random.child("triggered")), victim, trigger));
  }
  const { pretrained, config, head } = victim;
  return fineTune({ name: trigger.name, pretrained, config, head, batches: joinBatches(...sources) }, recipe, options);
}
