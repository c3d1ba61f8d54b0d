/** Medians and ratios of rounds. */
import type { Bar, Measured, Ratio } from "./types";

/** Middle value; the mean of the two middle ones of an even number. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/**
 * Ours against a reference. Rounds are compared pair by pair, because those of one pair ran one after the other, under the same load.
 * @param bar What is asked; null asks for nothing.
 */
export function compare(ours: Measured, reference: Measured, bar: Bar | null): Ratio {
  const pairs = Math.min(ours.seconds.length, reference.seconds.length);
  const speed = median(Array.from({ length: pairs }, (_, round) => reference.seconds[round]! / ours.seconds[round]!));
  const memory = ours.peakBytes && reference.peakBytes ? ours.peakBytes / reference.peakBytes : null;
  const processor = ours.processorSeconds && reference.processorSeconds ? reference.processorSeconds / ours.processorSeconds : null;
  const fast = bar?.speed === undefined || speed >= bar.speed;
  const small = bar?.memory === undefined || (memory !== null && memory <= bar.memory);
  const asked = bar?.speed !== undefined || bar?.memory !== undefined;
  return { ours: ours.contestant, reference: reference.contestant, speed, processor, memory, bar, reached: asked ? fast && small : null };
}

/** Every one of ours against every reference; the bar is asked against the fastest of them alone, those `beside` left out. */
export function compareAll(
  ours: readonly { readonly measured: Measured; readonly bar: Bar | null }[],
  references: readonly Measured[],
  beside: readonly string[] = [],
): Ratio[] {
  const fastest = references.filter(({ contestant }) => !beside.includes(contestant)).sort((a, b) => a.median - b.median)[0];
  return ours.flatMap(({ measured, bar }) =>
    references.map((reference) => compare(measured, reference, reference === fastest ? bar : null)),
  );
}
