import { z } from "zod";
import { addTaskVectors } from "./kernel";
import type { MergingKernel } from "./kernel";
import type { DataFreeMethod } from "./method";

/** Options of Task Arithmetic. */
export interface TaskArithmeticOptions {
  /** λ, the coefficient of every task vector; default 0.3. */
  readonly scaling: number;
}

/** Task Arithmetic: θ = θ₀ + λ Σ_t τ_t. */
export const taskArithmetic: DataFreeMethod<TaskArithmeticOptions> = {
  kind: "data-free",
  name: "task_arithmetic",
  title: "Task Arithmetic",
  reference: "Ilharco et al. 2023, arXiv:2212.04089",
  options: z.strictObject({ scaling: z.number().default(0.3) }),
  defaults: { scaling: 0.3 },
  texts: { scaling: "λ, the coefficient of every task vector" },
  kernel: (options) => taskArithmeticKernel(options),
};

function taskArithmeticKernel(options: TaskArithmeticOptions): MergingKernel {
  const scaling = Math.fround(options.scaling);
  return {
    passes: [],
    tensorPasses: [],
    compiled: { kind: "task_arithmetic", scaling },
    mergeSlice({ pretrained, origin, models }, merged) {
      merged.fill(0);
      addTaskVectors(merged, models, origin);
      for (let i = 0; i < merged.length; i++) merged[i] = pretrained[i]! + Math.fround(scaling * merged[i]!);
    },
  };
}
