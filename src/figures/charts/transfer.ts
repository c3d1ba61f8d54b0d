import type { Rate } from "../estimate";
import type { Figure } from "../figure";
import { type RateSeries, ratesFigure, type RatesFigureOptions } from "./rates";

/** Backdoor transfer: rates of merged models by task, between the bounds of the individual models. */
export interface TransferByTask {
  readonly tasks: readonly string[];
  /** Merged models (one method each, or one trigger each). */
  readonly series: readonly RateSeries[];
  /** The individual clean models: upper bound of ACC, lower bound of ASR. */
  readonly clean?: { readonly acc?: readonly Rate[]; readonly asr?: readonly Rate[] };
  /** The individual backdoored models: upper bound of ASR. */
  readonly backdoored?: { readonly acc?: readonly Rate[]; readonly asr?: readonly Rate[] };
}

/** Bars of ACC and ASR by task with the individual clean and backdoored models as lines: backdoor transfer. */
export function transferFigure(transfer: TransferByTask, options: RatesFigureOptions = {}): Figure {
  const bounds = [
    ...(transfer.clean ? [{ name: "individual clean model", style: "clean" as const, ...transfer.clean }] : []),
    ...(transfer.backdoored ? [{ name: "individual backdoored model", style: "backdoored" as const, ...transfer.backdoored }] : []),
  ];
  return ratesFigure({ tasks: transfer.tasks, series: transfer.series, bounds }, options);
}
