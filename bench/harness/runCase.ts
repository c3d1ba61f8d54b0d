/** Runs one case: all contestants in turn, round by round. */
import { MissingContestant, startContestant, type Round, type RunningContestant } from "./contestant";
import { compareAll, median } from "./statistics";
import type { Bar, BenchCase, CaseResult, Contestant, Limit, Measured } from "./types";

interface Entry {
  readonly contestant: Contestant;
  readonly rounds: Round[];
  facts: Record<string, string | number>;
  peakBytes: number | null;
}

/**
 * Runs a case.
 * @param log Told what happens, for people.
 * @throws what a contestant of ours fails with; references that cannot run are skipped with the reason.
 */
export async function runCase(bench: BenchCase, log: (line: string) => void): Promise<CaseResult> {
  const skipped: Record<string, string> = {};
  const skip = (name: string, reason: string): void => {
    skipped[name] = reason;
    log(`${bench.name}: ${name} skipped: ${reason}`);
  };
  const contestants: readonly Contestant[] = [...bench.ours, ...bench.references];
  const entries = await (bench.apart ? runApart : runTogether)(bench, contestants, skip, log);
  const of = (group: readonly Contestant[]): Entry[] => entries.filter(({ contestant }) => group.includes(contestant));
  const ours = of(bench.ours).map((entry) => ({
    measured: summarise(entry),
    bar: bench.ours.find(({ name }) => name === entry.contestant.name)?.bar ?? null,
  }));
  const references = of(bench.references).map(summarise);
  return {
    name: bench.name,
    title: bench.title,
    amount: bench.amount ?? null,
    unit: bench.unit ?? null,
    measured: [...ours.map(({ measured }) => measured), ...references],
    skipped,
    ratios: compareAll(
      ours,
      references,
      bench.references.filter(({ beside }) => beside).map(({ name }) => name),
    ),
    limits: ours.flatMap(({ measured, bar }) => (bar ? limitsOf(measured, bar) : [])),
  };
}

/** Bars that ask for no reference. */
function limitsOf({ contestant, median, heldBytes }: Measured, { seconds, growth }: Bar): Limit[] {
  const limit = (what: Limit["what"], value: number, most: number): Limit => ({
    ours: contestant,
    what,
    value,
    limit: most,
    reached: value <= most,
  });
  return [
    seconds === undefined ? [] : limit("seconds", median, seconds),
    growth === undefined || heldBytes === null ? [] : limit("growth", heldBytes[1] / heldBytes[0], growth),
  ].flat();
}

type Skip = (name: string, reason: string) => void;
type Log = (line: string) => void;

/** All processes live at once and take turns. */
async function runTogether(bench: BenchCase, contestants: readonly Contestant[], skip: Skip, log: Log): Promise<Entry[]> {
  const running: { entry: Entry; process: RunningContestant }[] = [];
  try {
    for (const contestant of contestants) {
      const process = await startOrSkip(contestant, skip);
      if (process) running.push({ entry: { contestant, rounds: [], facts: process.facts, peakBytes: null }, process });
    }
    const warmUps = bench.warmUps ?? 1;
    for (let round = -warmUps; round < bench.rounds; round++) {
      for (const { entry, process } of running) {
        const found = await process.round();
        if (round >= 0) entry.rounds.push(found);
        log(`${bench.name}: ${entry.contestant.name} ${round < 0 ? "warm-up" : `round ${round + 1}`}: ${describe(found)}`);
      }
    }
  } finally {
    for (const { entry, process } of running) entry.peakBytes = await process.close();
  }
  return running.map(({ entry }) => entry);
}

/** One process at a time: each round starts a contestant, warms it up, times it once and ends it. */
async function runApart(bench: BenchCase, contestants: readonly Contestant[], skip: Skip, log: Log): Promise<Entry[]> {
  const entries = new Map<Contestant, Entry>();
  for (let round = 0; round < bench.rounds; round++) {
    for (const contestant of contestants) {
      if (round > 0 && !entries.has(contestant)) continue;
      const process = await startOrSkip(contestant, skip);
      if (!process) continue;
      const entry = entries.get(contestant) ?? { contestant, rounds: [], facts: process.facts, peakBytes: null };
      entries.set(contestant, entry);
      let peak: number | null = null;
      try {
        for (let round = -(bench.warmUps ?? 1); round <= 0; round++) {
          const found = await process.round();
          log(`${bench.name}: ${contestant.name} ${round < 0 ? "warm-up" : "round"}: ${describe(found)}`);
          if (round === 0) entry.rounds.push(found);
        }
      } finally {
        peak = await process.close();
      }
      entry.facts = process.facts;
      entry.peakBytes = peak === null ? entry.peakBytes : Math.max(peak, entry.peakBytes ?? 0);
    }
  }
  return [...entries.values()];
}

async function startOrSkip(contestant: Contestant, skip: Skip): Promise<RunningContestant | null> {
  try {
    return await startContestant(contestant);
  } catch (error) {
    if (!(error instanceof MissingContestant)) throw error;
    skip(contestant.name, error.message);
    return null;
  }
}

function describe({ seconds, processorSeconds }: Round): string {
  return processorSeconds === null ? `${seconds.toFixed(4)} s` : `${seconds.toFixed(4)} s, processor ${processorSeconds.toFixed(2)} s`;
}

function summarise({ contestant, rounds, facts, peakBytes }: Entry): Measured {
  const seconds = rounds.map((round) => round.seconds);
  const processor = rounds.flatMap(({ processorSeconds }) => processorSeconds ?? []);
  const [first, last] = [rounds[0]?.heldBytes ?? null, rounds.at(-1)?.heldBytes ?? null];
  return {
    contestant: contestant.name,
    seconds,
    median: median(seconds),
    range: [Math.min(...seconds), Math.max(...seconds)],
    processorSeconds: processor.length > 0 ? median(processor) : null,
    peakBytes,
    heldBytes: first === null || last === null ? null : [first, last],
    facts,
  };
}
