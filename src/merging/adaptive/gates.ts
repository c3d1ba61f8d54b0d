/** Gates: s = sigmoid(Z / T), each in (0, 1). On a task vector they are not rescaled, so that a gate can only take away. */
import { sumOverElements, type MaskLayout } from "./maskLayout";

/** Gates of some logits, one a logit. */
export function openGates(logits: Float32Array, temperature: number): Float32Array {
  const gates = new Float32Array(logits.length);
  for (let i = 0; i < gates.length; i++) gates[i] = 1 / (1 + Math.exp(-logits[i]! / temperature));
  return gates;
}

/**
 * ∂L/∂Z.
 * @param elementGradient ∂L/∂s by element.
 */
export function gateGradient(layout: MaskLayout, gates: Float32Array, elementGradient: Float32Array, temperature: number): Float32Array {
  const slopes = layout.granularity === "weight" ? elementGradient : sumOverElements(layout, elementGradient);
  const gradient = new Float32Array(gates.length);
  for (let i = 0; i < gates.length; i++) gradient[i] = (slopes[i]! * gates[i]! * (1 - gates[i]!)) / temperature;
  return gradient;
}

/** Mean gate over the elements: the share of the task vector that is kept. */
export function meanGate({ counts, elements }: MaskLayout, gates: Float32Array): number {
  let kept = 0;
  for (let i = 0; i < gates.length; i++) kept += (counts ? counts[i]! : 1) * gates[i]!;
  return kept / elements;
}
