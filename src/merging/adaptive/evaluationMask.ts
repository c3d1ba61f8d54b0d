import { randomStream } from "../../engine";
import { logisticNoise, product, relaxMask, thresholdMask, type EvaluationMask } from "./concreteMask";
import { expandMask, type MaskLayout } from "./maskLayout";

/**
 * The fixed mask of a finished run: the product of all masks, one factor a parameter element; null if there is no mask.
 * @param logits Z of each mask.
 * @param seed Of `sample`.
 */
export function evaluationMask(
  layout: MaskLayout,
  logits: readonly Float32Array[],
  { evaluationMask: kind, temperature }: { readonly evaluationMask: EvaluationMask; readonly temperature: number },
  seed: number,
): Float32Array | null {
  if (logits.length === 0) return null;
  const masks = logits.map((values, index) => {
    if (kind === "threshold") return thresholdMask(layout, values);
    const noise = kind === "sample" ? logisticNoise(randomStream(seed, "mask", "evaluation", index), layout.logits) : null;
    return relaxMask(layout, values, noise, temperature).mask;
  });
  return expandMask(layout, product(masks));
}
