/**
 * @file Ties-Merging: trim, elect signs, merge what agrees.
 *
 * Two rules of the field are offered, each to the letter:
 * - `trim: global` is FusionBench's (and the authors'): with the d parameters of a task vector in one row, it keeps every entry whose magnitude
 *   is at least the (d − ⌊density·d⌋)-th smallest. Where the kept entries sum to zero, the sign that is commoner among all sums decides.
 * - `trim: tensor` is mergekit's: each tensor of n parameters keeps its max(1, ⌊density·n⌋) largest magnitudes, of equal ones the first
 *   (mergekit's sort is unstable and leaves open which). Where the kept entries sum to zero, the positive ones are merged.
 */
import { z } from "zod";
import type { Cut } from "../engine/simd/merges";
import type { MergingKernel, Slice, StatisticsPass } from "./kernel";
import { MagnitudeRank } from "./magnitudeRank";
import type { DataFreeMethod } from "./method";
import { cutAt, trimRank } from "./trimming";

/** Options of Ties-Merging. */
export interface TiesOptions {
  /** λ, the coefficient of the merged task vector; default 0.3. */
  readonly scaling: number;
  /** Fraction of each task vector that is kept, in (0, 1]; default 0.2. 1 keeps all. */
  readonly density: number;
  /** Whether magnitudes are ranked over the whole task vector (default) or tensor by tensor. */
  readonly trim: "global" | "tensor";
  /** Whether agreeing entries are added (default) or averaged over the models that agree. */
  readonly aggregate: "sum" | "mean";
}

/** Ties-Merging: θ = θ₀ + λ · (the trimmed task vectors' entries of the elected sign, summed or averaged). */
export const ties: DataFreeMethod<TiesOptions> = {
  kind: "data-free",
  name: "ties",
  title: "Ties-Merging",
  reference: "Yadav et al. 2023, arXiv:2306.01708",
  options: z.strictObject({
    scaling: z.number().default(0.3),
    density: z.number().gt(0).lte(1).default(0.2),
    trim: z.enum(["global", "tensor"]).default("global"),
    aggregate: z.enum(["sum", "mean"]).default("sum"),
  }),
  defaults: { scaling: 0.3, density: 0.2, trim: "global", aggregate: "sum" },
  texts: {
    scaling: "λ, the coefficient of the merged task vector",
    density: "fraction of each task vector that is kept, in (0, 1]",
    trim: "whether magnitudes are ranked over the whole task vector, or tensor by tensor",
    aggregate: "whether agreeing entries are added, or averaged over the models that agree",
  },
  kernel: (options, models) => tiesKernel(options, models),
};

function tiesKernel(options: TiesOptions, models: number): MergingKernel {
  const cuts = Array.from({ length: models }, (): Cut => ({ magnitude: 0, equal: Infinity }));
  const sums = new TrimmedSums(cuts);
  let zeroSign = 1;
  const trims = trimPasses(options, cuts);
  const election: StatisticsPass = electionPass(sums, (sign) => (zeroSign = sign));
  return {
    passes: options.trim === "global" ? [...trims, election] : [],
    tensorPasses: options.trim === "tensor" ? trims : [],
    compiled: { kind: "ties", ...options },
    mergeSlice(slice, merged) {
      sums.add(slice);
      disjointMerge(sums, merged, zeroSign, options.aggregate === "mean");
      const scaling = Math.fround(options.scaling);
      const { pretrained } = slice;
      for (let i = 0; i < merged.length; i++) merged[i] = pretrained[i]! + Math.fround(scaling * merged[i]!);
    },
  };
}

/** The two passes that find each model's cut exactly. */
function trimPasses({ density, trim }: TiesOptions, cuts: Cut[]): StatisticsPass[] {
  const ranks = cuts.map(() => new MagnitudeRank());
  let kept = 0;
  const upper: StatisticsPass = {
    title: "rank magnitudes, upper bits",
    begin(elements) {
      const wanted = trimRank(trim, density, elements);
      kept = wanted.kept;
      for (const rank of ranks) rank.begin(elements, wanted.rank);
    },
    visit({ models, origin }) {
      for (let t = 0; t < models.length; t++) ranks[t]!.countUpper(models[t]!, origin);
    },
    finish() {
      for (const [t, rank] of ranks.entries()) {
        try {
          rank.finishUpper();
        } catch (error) {
          throw new RangeError(`Cannot trim model ${t + 1} of ${cuts.length}: ${(error as Error).message}`);
        }
      }
    },
  };
  const lower: StatisticsPass = {
    title: "rank magnitudes, lower bits",
    begin() {},
    visit({ models, origin }) {
      for (let t = 0; t < models.length; t++) ranks[t]!.countLower(models[t]!, origin);
    },
    finish() {
      for (const [t, rank] of ranks.entries()) {
        const { magnitude, above } = rank.finishLower();
        Object.assign(cuts[t]!, cutAt(trim, kept, magnitude, above));
      }
    },
  };
  return [upper, lower];
}

/** Counts the signs of the trimmed sums; the commoner one decides where a sum is zero (FusionBench: a draw counts as negative). */
function electionPass(sums: TrimmedSums, elect: (sign: number) => void): StatisticsPass {
  let balance = 0;
  return {
    title: "elect the majority sign",
    begin() {
      balance = 0;
    },
    visit(slice) {
      sums.add(slice);
      const { total } = sums;
      let positive = 0;
      let negative = 0;
      for (let i = 0; i < slice.pretrained.length; i++) {
        const sum = total[i]!;
        if (sum > 0) positive++;
        else if (sum < 0) negative++;
      }
      balance += positive - negative;
    },
    finish: () => elect(balance > 0 ? 1 : -1),
  };
}

/** Sums over the models of trimmed entries: all of them, the positive and the negative ones, and how many those are. Float32, in model order. */
class TrimmedSums {
  total = new Float32Array(0);
  positive = new Float32Array(0);
  negative = new Float32Array(0);
  positives = new Uint16Array(0);
  negatives = new Uint16Array(0);

  constructor(private readonly cuts: readonly Cut[]) {}

  add({ models, origin }: Slice): void {
    const length = origin.length;
    if (this.total.length < length) {
      this.total = new Float32Array(length);
      this.positive = new Float32Array(length);
      this.negative = new Float32Array(length);
      this.positives = new Uint16Array(length);
      this.negatives = new Uint16Array(length);
    }
    for (const array of [this.total, this.positive, this.negative, this.positives, this.negatives]) array.fill(0, 0, length);
    for (let t = 0; t < models.length; t++) {
      const cut = this.cuts[t]!;
      if (cut.equal === Infinity) this.addAtLeast(models[t]!, origin, cut.magnitude);
      else cut.equal -= this.addCounted(models[t]!, origin, cut.magnitude, cut.equal);
    }
  }

  private addAtLeast(values: Float32Array, origin: Float32Array, threshold: number): void {
    const { total, positive, negative, positives, negatives } = this;
    for (let i = 0; i < values.length; i++) {
      const entry = Math.fround(values[i]! - origin[i]!);
      if (entry >= threshold) {
        total[i] = total[i]! + entry;
        positive[i] = positive[i]! + entry;
        positives[i]!++;
      } else if (entry <= -threshold) {
        total[i] = total[i]! + entry;
        negative[i] = negative[i]! + entry;
        negatives[i]!++;
      }
    }
  }

  /** Keeps at most `equal` entries on the threshold; returns how many it kept. */
  private addCounted(values: Float32Array, origin: Float32Array, threshold: number, equal: number): number {
    const { total, positive, negative, positives, negatives } = this;
    let left = equal;
    for (let i = 0; i < values.length; i++) {
      const entry = Math.fround(values[i]! - origin[i]!);
      const magnitude = Math.abs(entry);
      if (magnitude > threshold || (magnitude === threshold && left-- > 0)) {
        total[i] = total[i]! + entry;
        if (entry > 0) {
          positive[i] = positive[i]! + entry;
          positives[i]!++;
        } else if (entry < 0) {
          negative[i] = negative[i]! + entry;
          negatives[i]!++;
        }
      }
    }
    return equal - Math.max(left, 0);
  }
}

/** Of each entry's sums, that of the elected sign; divided by the number of models that agree if `mean`. */
function disjointMerge(sums: TrimmedSums, merged: Float32Array, zeroSign: number, mean: boolean): void {
  const { total, positive, negative, positives, negatives } = sums;
  for (let i = 0; i < merged.length; i++) {
    const sum = total[i]!;
    if (sum > 0 || (sum === 0 && zeroSign > 0)) merged[i] = mean ? positive[i]! / Math.max(positives[i]!, 1) : positive[i]!;
    else merged[i] = mean ? negative[i]! / Math.max(negatives[i]!, 1) : negative[i]!;
  }
}
