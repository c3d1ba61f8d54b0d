/** What Ties keeps of a task vector: the two rules of the field; see `ties.ts`. */
import type { Cut } from "../engine/simd/merges";

/** Whether magnitudes are ranked over the whole task vector or tensor by tensor. */
export type TrimRule = "global" | "tensor";

/** The smallest float32 above zero. */
const SMALLEST_MAGNITUDE = 2 ** -149;

/** How many of `elements` entries are kept, and which magnitude decides: its rank, 1 being the smallest; 0 is a threshold that all reach. */
export function trimRank(trim: TrimRule, density: number, elements: number): { readonly kept: number; readonly rank: number } {
  if (elements >= 2 ** 32) throw new RangeError(`Cannot rank magnitudes: expected fewer than 2^32 values, got ${elements}`);
  // The reference keeps all that reach the (d − kept)-th smallest; ranking by count instead would drop that one entry.
  if (trim === "global") return { kept: Math.floor(elements * density), rank: elements - Math.floor(elements * density) };
  const kept = Math.max(1, Math.floor(elements * density));
  return { kept, rank: elements === 0 ? 0 : elements - kept + 1 };
}

/** The cut at the deciding magnitude. @param above How many magnitudes are larger. */
export function cutAt(trim: TrimRule, kept: number, magnitude: number, above: number): Cut {
  // Zeros reach a threshold of zero but add nothing; leaving them out keeps them out of the mean.
  return trim === "global" ? { magnitude: Math.max(magnitude, SMALLEST_MAGNITUDE), equal: Infinity } : { magnitude, equal: kept - above };
}
