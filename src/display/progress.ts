/**
 * @file How long work says how far it is: one interface, and sinks for a terminal, a log, a notebook and for nobody.
 *
 * Progress is for people: it never enters a result, so a sink may look at the clock. All sinks are throttled; a loop may report each step.
 */

/** What a task reports. */
export interface ProgressUpdate {
  /** Steps done so far. */
  readonly step: number;
  /** Numbers worth watching, such as `{ loss: 0.31 }`; each report replaces the ones before. */
  readonly values?: Readonly<Record<string, number>>;
}

/** One running task. */
export interface ProgressTask {
  update(update: ProgressUpdate): void;
  /** Ends the task; later calls do nothing. `note` says how it ended, such as "interrupted" (default "done"). */
  finish(note?: string): void;
}

/** What is known of a task when it begins. */
export interface ProgressOptions {
  /** Steps in all; left out where nobody knows. */
  readonly total?: number;
  /** Where a resumed task begins, so that its rate counts only what is done now; default 0. */
  readonly step?: number;
  /** What is counted; default "steps". */
  readonly unit?: string;
}

/** Where progress goes. */
export interface ProgressSink {
  start(name: string, options?: ProgressOptions): ProgressTask;
}

/** Milliseconds of a clock that never goes back. */
export type Clock = () => number;

/** A task's state as a sink shows it. */
export interface ProgressState {
  readonly name: string;
  readonly unit: string;
  readonly step: number;
  readonly total: number | null;
  readonly values: Readonly<Record<string, number>>;
  /** Steps a second since the task began (or went on); null before the first step. */
  readonly rate: number | null;
  /** Seconds left; null where total or rate is unknown. */
  readonly secondsLeft: number | null;
  readonly seconds: number;
  /** How the task ended; null while it runs. */
  readonly ended: string | null;
}

/** Nobody looks. */
export const silentProgress: ProgressSink = { start: () => ({ update: () => {}, finish: () => {} }) };

/**
 * A sink from one function that shows a state. The first and the last state are always shown, those between at most every `interval` ms.
 * @param show Called synchronously, from inside `start`, `update` and `finish`.
 */
export function throttledProgress(
  show: (state: ProgressState, task: object) => void,
  { interval, clock = () => performance.now() }: { interval: number; clock?: Clock },
): ProgressSink {
  return {
    start(name, { total, step: first = 0, unit = "steps" } = {}) {
      const began = clock();
      const task = {};
      let step = first;
      let values: Readonly<Record<string, number>> = {};
      let shownAt = began;
      let ended: string | null = null;
      const present = (): void => {
        const seconds = Math.max(0, clock() - began) / 1000;
        const rate = step > first && seconds > 0 ? (step - first) / seconds : null;
        const secondsLeft = rate === null || total === undefined ? null : Math.max(0, total - step) / rate;
        show({ name, unit, step, total: total ?? null, values, rate, secondsLeft, seconds, ended }, task);
      };
      present();
      return {
        update(update) {
          if (ended !== null) return;
          step = update.step;
          values = update.values ?? values;
          const now = clock();
          if (now - shownAt < interval) return;
          shownAt = now;
          present();
        },
        finish(note = "done") {
          if (ended !== null) return;
          ended = note;
          present();
        },
      };
    },
  };
}

/** The part of a stream that a terminal sink needs; `process.stderr` is one. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** A bar on one line that is drawn over and over; each ended task leaves its last line. For terminals. */
export function barProgress({
  stream = process.stderr as ProgressStream,
  clock,
}: { stream?: ProgressStream; clock?: Clock } = {}): ProgressSink {
  const show = (state: ProgressState): void => {
    const line = `${bar(state)}${describeProgress(state)}`.slice(0, Math.max(20, (stream.columns ?? 100) - 1));
    // \x1b[K wipes what an older, longer line left behind.
    stream.write(`\r${line}\x1b[K${state.ended === null ? "" : "\n"}`);
  };
  return throttledProgress(show, clock === undefined ? { interval: 100 } : { interval: 100, clock });
}

/** Plain lines, few of them (one every `interval` milliseconds, default 15 s, and one at either end). For logs and pipes. */
export function lineProgress({
  stream = process.stderr as ProgressStream,
  interval = 15_000,
  clock,
}: { stream?: ProgressStream; interval?: number; clock?: Clock } = {}): ProgressSink {
  const show = (state: ProgressState): void => void stream.write(`${describeProgress(state)}\n`);
  return throttledProgress(show, clock === undefined ? { interval } : { interval, clock });
}

/** A bar where the stream is a terminal, sparse lines elsewhere. */
export function terminalProgress(options: { stream?: ProgressStream; clock?: Clock } = {}): ProgressSink {
  return (options.stream ?? process.stderr).isTTY === true ? barProgress(options) : lineProgress(options);
}

/**
 * Shows a MIME bundle in a notebook: as a new output, or (`update`) in place of the one that has this id.
 * @param id Unique in this process.
 */
export type NotebookShow = (bundle: { "text/plain": string; "text/html": string }, id: string, update: boolean) => void;

/** A progress bar in a notebook's output, updated in place. */
export function notebookProgress(show: NotebookShow, { interval = 200, clock }: { interval?: number; clock?: Clock } = {}): ProgressSink {
  const ids = new WeakMap<object, string>();
  const present = (state: ProgressState, task: object): void => {
    const known = ids.get(task);
    const id = known ?? `damlab-progress-${process.pid}-${++notebookTasks}`;
    ids.set(task, id);
    show({ "text/plain": `${bar(state)}${describeProgress(state)}`, "text/html": progressHtml(state) }, id, known !== undefined);
  };
  return throttledProgress(present, clock === undefined ? { interval } : { interval, clock });
}

let notebookTasks = 0;

/** One line: name, steps, values, rate and time left. */
export function describeProgress(state: ProgressState): string {
  const { name, unit, step, total, values, rate, secondsLeft, seconds, ended } = state;
  const parts = [`${name}  ${step}${total === null ? "" : `/${total}`} ${unit}`];
  for (const [key, value] of Object.entries(values)) parts.push(`${key} ${formatValue(value)}`);
  if (rate !== null) parts.push(`${formatValue(rate)} ${unit}/s`);
  if (ended !== null) parts.push(`${ended} after ${formatSeconds(seconds)}`);
  else if (secondsLeft !== null) parts.push(`${formatSeconds(secondsLeft)} left`);
  return parts.join("  ");
}

/** A duration for people: "0.4 s", "12 s", "3 min 20 s", "2 h 5 min". */
export function formatSeconds(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

function formatValue(value: number): string {
  return Math.abs(value) >= 1000 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}

function bar({ step, total }: ProgressState): string {
  if (total === null || total <= 0) return "";
  const filled = Math.round(20 * Math.min(1, Math.max(0, step / total)));
  return `${"█".repeat(filled)}${"░".repeat(20 - filled)}  `;
}

function progressHtml(state: ProgressState): string {
  const label = describeProgress(state).replace(/[&<>]/g, (character) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[character]!);
  const { step, total, ended } = state;
  // Without a value the browser shows an indeterminate bar.
  const position = total !== null ? ` value="${Math.min(step, total)}" max="${total}"` : ended !== null ? ` value="1" max="1"` : "";
  return `<div style="font-family:monospace"><progress${position} style="width:16em;vertical-align:middle"></progress> ${label}</div>`;
}
