import { z } from "zod";
import type { MergingKernel } from "./kernel";
import type { DataFreeMethod } from "./method";

/** Weight averaging has no options. */
export type AverageOptions = Record<never, never>;

/** Weight average: θ = (1/N) Σ_t θ_t. */
export const average: DataFreeMethod<AverageOptions> = {
  kind: "data-free",
  name: "average",
  title: "Weight average",
  reference: "Wortsman et al. 2022, Model soups, arXiv:2203.05482",
  options: z.strictObject({}),
  defaults: {},
  texts: {},
  kernel: () => averageKernel(),
};

function averageKernel(): MergingKernel {
  return {
    passes: [],
    tensorPasses: [],
    compiled: { kind: "average" },
    mergeSlice({ pretrained, origin, models }, merged) {
      const round = Math.fround;
      const length = merged.length;
      merged.fill(0);
      let t = 0;
      for (; t + 2 < models.length; t += 3) {
        const a = models[t]!;
        const b = models[t + 1]!;
        const c = models[t + 2]!;
        for (let i = 0; i < length; i++) merged[i] = round(round(round(merged[i]! + a[i]!) + b[i]!) + c[i]!);
      }
      for (; t < models.length; t++) {
        const a = models[t]!;
        for (let i = 0; i < length; i++) merged[i] = round(merged[i]! + a[i]!);
      }
      const count = models.length;
      for (let i = 0; i < length; i++) merged[i] = merged[i]! / count;
      // Given task vectors, that was the mean of the τ_t.
      if (origin !== pretrained) for (let i = 0; i < length; i++) merged[i] = merged[i]! + pretrained[i]!;
    },
  };
}
