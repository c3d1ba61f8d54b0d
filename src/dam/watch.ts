/** @file When to stop: the masks' training is looked at from time to time, and ends with the masks of the best look. */
import type { HostTensor } from "../checkpoints";
import { keepVariable, mergedParameters, mergeTaskVectors, type Variable } from "../merging/adaptive";
import type { Losses } from "./phases";
import type { DamRun } from "./run";

/** Parameters of a whole model. */
type Model = Map<string, HostTensor>;

const NUMBERS = ["entropy", "agreement", "flips", "images"] as const;

/** What is seen of a merge without labels and triggers; `DefenderView` of `damlab/selection` says what the numbers are. */
export type Look = Readonly<Record<(typeof NUMBERS)[number], number>>;

/** Whoever looks, and chooses; `stopWatch()` of `damlab/selection` makes one. */
export interface DamWatch {
  /** Iterations between two looks, at least 1. */
  readonly every: number;
  /** Looks at the merge with its masks as they would be fixed now, beside f_0. */
  look(candidate: Model, unmasked: Model): Promise<Look>;
  /**
   * Which of the looks so far is the best, and whether no further one is wanted. It must be the newest or the best of those before, since no other masks
   * are kept. Numbers are rounded to float32.
   */
  choose(looks: readonly Look[]): { readonly best: number; readonly settled: boolean };
}

/** A watch at work. Its variables are saved with the run, so that one that was killed goes on to the same bytes. */
export interface OpenWatch {
  readonly variables: Readonly<Record<string, Variable>>;
  /** Whether the masks are finished. */
  settled(): boolean;
  /** To be called after iteration 1, 2, …: looks where it is time, and at the end takes the best. */
  after(iteration: number): Promise<Losses>;
  /** Iteration of the best look; null if there was none. */
  best(): number | null;
  /** Gives the run the masks and λ of the best look, if there was one. */
  takeBest(): void;
}

/**
 * @param candidateNow The merge with its masks as they would be fixed now.
 * @throws {RangeError} if there is less than one iteration between two looks, or a look is chosen whose masks are gone.
 */
export function openWatch(run: DamRun, watch: DamWatch, candidateNow: () => Model): OpenWatch {
  const { options, variables, place } = run;
  const { every } = watch;
  if (!Number.isInteger(every) || every < 1)
    throw new RangeError(`Cannot watch DAM: expected a whole number of iterations between two looks, at least 1, got ${every}`);
  const watched = new Map([
    ["coefficients", variables.coefficients],
    ...[...variables.masks].map(([name, mask]) => [`${name}Mask`, mask] as const),
  ]);
  const kept = new Map([...watched].map(([name, { values }]) => [name, keepVariable(values.slice())]));
  const [found, state] = [new Float32Array(NUMBERS.length * Math.ceil(options.steps / every)), new Float32Array(3)];
  const [COUNT, BEST, SETTLED] = [0, 1, 2];
  const iterationOf = (look: number): number => Math.min((look + 1) * every, options.steps);
  let unmasked: Model | undefined;

  const looks = (): Look[] =>
    Array.from({ length: state[COUNT]! }, (_, look) =>
      Object.fromEntries(NUMBERS.map((name, index) => [name, found[look * NUMBERS.length + index]!])),
    ) as unknown as Look[];

  const takeBest = (): void => {
    if (state[COUNT] === 0) return;
    for (const [name, { values }] of watched) values.set(kept.get(name)!.values);
    variables.coefficientsBefore.values.set(variables.coefficients.values);
  };

  return {
    variables: {
      ...Object.fromEntries([...kept].map(([name, variable]) => [`best ${name}`, variable])),
      looks: keepVariable(found),
      watch: keepVariable(state),
    },
    settled: () => state[SETTLED] === 1,
    best: () => (state[COUNT] === 0 ? null : iterationOf(state[BEST]!)),
    takeBest,
    async after(iteration) {
      if (iteration % every !== 0 && iteration !== options.steps) return {};
      const labels = { granularity: options.coefficients, values: variables.labelCoefficients.values };
      unmasked ??= mergedParameters(place.space, mergeTaskVectors(place.space, labels, null));
      const look = await watch.look(candidateNow(), unmasked);
      const index = state[COUNT]!;
      found.set(
        NUMBERS.map((name) => look[name]),
        index * NUMBERS.length,
      );
      state[COUNT] = index + 1;
      const { best, settled } = watch.choose(looks());
      if (best === index) for (const [name, { values }] of watched) kept.get(name)!.values.set(values);
      else if (best !== state[BEST]) throw new RangeError(`Cannot take look ${best}: expected look ${state[BEST]} or the newest, ${index}`);
      state[BEST] = best;
      if (settled || iteration === options.steps) {
        takeBest();
        state[SETTLED] = 1;
      }
      return { flips: look.flips, agreement: look.agreement };
    },
  };
}
