/** What is measured, and what came out. */

/** A program that runs one case, round by round; see `contestant.ts` for what it reads and prints. */
export interface Contestant {
  /** As "damlab, native" or "PyTorch". */
  readonly name: string;
  readonly program: string;
  readonly words: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** How many of what the case measures a round does; times are those of one. Default 1. */
  readonly each?: number;
  /** A reference that is measured beside the others, but against which no bar is asked. */
  readonly beside?: boolean;
}

/** What one of ours must reach, against the fastest reference or alone. */
export interface Bar {
  /** Least speed: reference seconds over ours. */
  readonly speed?: number;
  /** Greatest memory: our peak over the reference's. */
  readonly memory?: number;
  /** Most seconds of a round. */
  readonly seconds?: number;
  /** Greatest growth: memory held after the last round over that after the first. */
  readonly growth?: number;
}

/** One of ours; `bar` is what the project asks of it. */
export interface OwnContestant extends Contestant {
  readonly bar?: Bar;
}

/** One thing that is measured. */
export interface BenchCase {
  readonly name: string;
  /** What a round does. */
  readonly title: string;
  readonly ours: readonly OwnContestant[];
  readonly references: readonly Contestant[];
  /** Rounds that count; `warmUps` before them do not. */
  readonly rounds: number;
  readonly warmUps?: number;
  /** Whether a contestant's process ends before the next one's begins, because both do not fit into memory. */
  readonly apart?: boolean;
  /** Images (or whatever `unit` names) of a round, for rates. */
  readonly amount?: number;
  readonly unit?: string;
  /** Left out unless it is named, because it takes minutes or much memory. */
  readonly onRequest?: boolean;
}

/** What one contestant did. */
export interface Measured {
  readonly contestant: string;
  /** Of each round that counted. */
  readonly seconds: readonly number[];
  /** Median of the rounds. */
  readonly median: number;
  /** Smallest and largest. */
  readonly range: readonly [number, number];
  /** Median of the rounds' processor seconds, all threads together; null where the system does not tell. */
  readonly processorSeconds: number | null;
  /** Of the process and all below it; null where the system does not tell. */
  readonly peakBytes: number | null;
  /** Held by them after the first round that counted, and after the last; null where the system does not tell. */
  readonly heldBytes: readonly [number, number] | null;
  /** Numbers that the contestant reports beside the time: versions, counts. */
  readonly facts: Readonly<Record<string, string | number>>;
}

/** Ours against a reference, in the same run. */
export interface Ratio {
  readonly ours: string;
  readonly reference: string;
  /** Median over the rounds of reference seconds over ours: above 1, ours is faster. */
  readonly speed: number;
  /** Reference processor seconds over ours, of the medians: less moved by other programs on the machine; null where either is unknown. */
  readonly processor: number | null;
  /** Our peak memory over the reference's; null where either is unknown. */
  readonly memory: number | null;
  readonly bar: Bar | null;
  /** Whether the bar is reached; null without a bar. */
  readonly reached: boolean | null;
}

/** One of ours against a bar of its own, without a reference. */
export interface Limit {
  readonly ours: string;
  readonly what: "seconds" | "growth";
  readonly value: number;
  readonly limit: number;
  readonly reached: boolean;
}

/** What came out of one case. */
export interface CaseResult {
  readonly name: string;
  readonly title: string;
  readonly amount: number | null;
  readonly unit: string | null;
  readonly measured: readonly Measured[];
  /** Contestants that did not run, with the reason. */
  readonly skipped: Readonly<Record<string, string>>;
  readonly ratios: readonly Ratio[];
  readonly limits: readonly Limit[];
}

/** A whole run. */
export interface BenchReport {
  readonly machine: { readonly cpu: string; readonly threads: number; readonly memoryBytes: number; readonly system: string };
  readonly versions: Readonly<Record<string, string>>;
  readonly results: readonly CaseResult[];
}
