import { DEFENCES } from "../defenses";
import type { JudgedPoint } from "../selection";
import type { Sweep } from "./sweepTypes";

/** The points of sweeps, one a zoo seed, as `judgeDefence` takes them: DAM's and the baselines', without other defences, each with a known ASR. */
export function judgedPoints(sweeps: readonly { readonly zooSeed: number; readonly sweep: Pick<Sweep, "points"> }[]): JudgedPoint[] {
  return sweeps.flatMap(({ zooSeed, sweep }) =>
    sweep.points
      .filter(({ method }) => method === "dam" || !DEFENCES.has(method))
      .flatMap(({ method, alpha, scale, seed, stage, acc, asrAttacked, floor, view }): JudgedPoint[] =>
        asrAttacked === null
          ? []
          : [{ zooSeed, method, alpha, scale, seed, stage, acc, asr: asrAttacked, floor: floor?.asrAttacked ?? null, view }],
      ),
  );
}
