import type { ProgressSink } from "../display/progress";
import type { CacheAddress } from "./resultCache";
import type { CellSettings } from "./settings";

/** What a running cell gets beside its inputs and parameters. */
export interface CellContext {
  /** Shows how far the cell is. Tasks that are still open when the cell ends are ended for it. */
  readonly progress: ProgressSink;
  /** How this cell runs; `other.with(settings)` runs another cell likewise. */
  readonly settings: CellSettings;
  /** Aborted when somebody interrupts; hand it on, or call `breathe()`. */
  readonly signal: AbortSignal;
  /** Keeps the state of a long computation, so that a cell that was killed or interrupted goes on where it was. */
  readonly checkpoint: CellCheckpoint;
  /**
   * Lets timers, displays and signals have their turn; call it now and then in a loop that awaits nothing else.
   * @throws the signal's reason after an interrupt.
   */
  breathe(): Promise<void>;
}

/** The kept state of one unfinished computation: of these inputs, these parameters. Removed when the cell is done. */
export interface CellCheckpoint {
  /** The last state that was saved; null at the beginning. */
  load<State>(): Promise<State | null>;
  /** Replaces the state: plain data, maps and typed arrays. It is on disk when the promise resolves. */
  save(state: unknown): Promise<void>;
}

/** A context that its cell must close. */
export interface OpenContext extends CellContext {
  readonly checkpoint: CellCheckpoint & { clear(): Promise<void> };
  /** Ends open progress tasks. */
  close(note: string): void;
}

/** Opens the context of one run. */
export function openContext(settings: CellSettings & { signal: AbortSignal }, address: CacheAddress): OpenContext {
  const { cache, progress, signal } = settings;
  const open = new Set<(note: string) => void>();
  return {
    settings,
    signal,
    progress: {
      start(name, options) {
        const task = progress.start(name, options);
        const finish = (note?: string): void => {
          open.delete(finish);
          task.finish(note);
        };
        open.add(finish);
        return { update: (update) => task.update(update), finish };
      },
    },
    checkpoint: {
      load: async <State>() => ((await cache?.load(address)) ?? null) as State | null,
      save: async (state) => cache?.save(address, state),
      clear: async () => cache?.remove(address),
    },
    async breathe() {
      await new Promise((resolve) => setImmediate(resolve));
      signal.throwIfAborted();
    },
    close(note) {
      for (const finish of open) finish(note);
    },
  };
}
