import type { Sweep } from "../../src/cells";
import { DEFENCES } from "../../src/defenses";
import type { JudgedPoint } from "../../src/selection";

/** The points of sweeps over several zoo seeds, as `judgeDefence` takes them. */
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
