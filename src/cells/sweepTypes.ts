import type { Judgement, View } from "./sweepJobs";

/** One model of a sweep. */
export interface SweepPoint {
  /** Name in the table of methods. */
  readonly method: string;
  /** The method's name in tables. */
  readonly title: string;
  /** DAM's α; null for other methods. */
  readonly alpha: number | null;
  /** λ of methods that have one for everything; else the factor of the final coefficients. */
  readonly scale: number;
  /** Null for methods that draw no random numbers. */
  readonly seed: number | null;
  /** `masks`: DAM before its final stage. */
  readonly stage: "masks" | "final";
  /** Plain mean over the tasks; this and all rates are fractions in [0, 1]. */
  readonly acc: number;
  /** Mean over the attacked tasks, each under its own trigger; null where none is attacked. */
  readonly asrAttacked: number | null;
  /** Mean over the other tasks under their latent triggers; null unless `triggers` is `own`. */
  readonly asrClean: number | null;
  readonly asrAll: number | null;
  /** ACC and ASR of the same method, setting, scale and seed on the all-clean merge, under the same triggers; null where not asked for. */
  readonly floor: { readonly acc: number; readonly asrAttacked: number | null } | null;
  readonly tasks: Judgement["tasks"];
  /** What the merge's user can measure; null where not asked for. */
  readonly view: View | null;
}

/** A sweep over α, methods, scales and seeds. */
export interface Sweep {
  readonly points: readonly SweepPoint[];
  /** The fine-tuned models, each on its own task under its own trigger. */
  readonly individual: Pick<Judgement, "acc" | "asrAttacked">;
  /** The pretrained model. */
  readonly pretrained: Pick<Judgement, "acc" | "asrAttacked">;
  readonly attacked: Readonly<Record<string, string>>;
}
