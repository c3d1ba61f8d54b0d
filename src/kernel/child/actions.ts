import type { ModuleLoader } from "./modules";
import type { CellActions } from "../link/messages";

/** A `%timeit` goes on until this many seconds have passed, or this many runs. */
const TIMEIT_SECONDS = 1;
const TIMEIT_RUNS = 1000;

/** Does what the magics of a cell ask for before it runs. */
export async function runActions(actions: CellActions, loader: ModuleLoader): Promise<void> {
  if (actions.show !== undefined) process.stdout.write(actions.show);
  Object.assign(process.env, actions.environment);
  if (actions.listEnvironment === true)
    for (const [name, value] of Object.entries(process.env).sort()) process.stdout.write(`${name}=${value}\n`);
  if (actions.engine !== undefined) await selectEngine(actions.engine, loader);
}

/** Runs a cell, once or (for `%timeit`) often, and prints how long it took where a magic asks for it. */
export async function timed(actions: CellActions, once: () => Promise<void>): Promise<void> {
  if (actions.timeit === true) return timeit(once);
  const began = performance.now();
  try {
    await once();
  } finally {
    if (actions.time === true) process.stdout.write(`Time: ${formatDuration(performance.now() - began)}\n`);
  }
}

async function timeit(once: () => Promise<void>): Promise<void> {
  const times: number[] = [];
  const began = performance.now();
  while (times.length < TIMEIT_RUNS && performance.now() - began < TIMEIT_SECONDS * 1000) {
    const start = performance.now();
    await once();
    times.push(performance.now() - start);
  }
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
  const deviation = Math.sqrt(times.reduce((sum, time) => sum + (time - mean) ** 2, 0) / times.length);
  process.stdout.write(
    `${formatDuration(mean)} ± ${formatDuration(deviation)} a run (mean ± standard deviation of ${times.length} runs)\n`,
  );
}

function formatDuration(milliseconds: number): string {
  if (milliseconds >= 1000) return `${(milliseconds / 1000).toPrecision(3)} s`;
  if (milliseconds >= 1) return `${milliseconds.toPrecision(3)} ms`;
  return `${(milliseconds * 1000).toPrecision(3)} µs`;
}

async function selectEngine(name: string, loader: ModuleLoader): Promise<void> {
  if (name !== "") process.env.DAMLAB_ENGINE = name;
  const { startEngine } = (await loader.load("damlab")) as { startEngine: (name?: string) => Promise<unknown> };
  console.log(await startEngine(name === "" ? undefined : name));
}
