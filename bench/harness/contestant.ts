/**
 * A contestant at work: a child process that prints one JSON object a line.
 *
 * It sets up and prints `{"ready": {…}}`, its facts, or `{"missing": "why"}` and ends. For each line `round` that it reads it does the work
 * once and prints `{"seconds": s}`, with more facts if it likes. It ends when its input ends.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { readHeldBytes, readProcessorSeconds, watchMemory } from "./memory";
import type { Contestant } from "./types";

/** Threads of every contestant. */
export const BENCH_THREADS = 2;

/** Asked for a contestant that cannot run here. */
export class MissingContestant extends Error {}

/** What a round took; what the system does not tell is null. */
export interface Round {
  /** Of each piece, by the contestant's own clock. */
  readonly seconds: number;
  /** Of each piece. */
  readonly processorSeconds: number | null;
  /** Memory that the process and all below it held when the round was over. */
  readonly heldBytes: number | null;
}

/** A started contestant. */
export interface RunningContestant {
  readonly facts: Record<string, string | number>;
  /** Does the work once. */
  round(): Promise<Round>;
  /** Ends the process and gives its peak memory. */
  close(): Promise<number | null>;
}

type Message = { ready?: Record<string, string | number>; missing?: string; seconds?: number } & Record<string, unknown>;

/** Starts a contestant and waits until it has set up. @throws {MissingContestant} if it lacks something; the message says what. */
export async function startContestant({ name, program, words, environment, each = 1 }: Contestant): Promise<RunningContestant> {
  const threads = String(BENCH_THREADS);
  // Waiting threads that spin make PyTorch many times slower where other programs run too.
  const waiting = { OMP_WAIT_POLICY: process.env["OMP_WAIT_POLICY"] ?? "passive" };
  const limits = { OMP_NUM_THREADS: threads, MKL_NUM_THREADS: threads, TF_NUM_INTRAOP_THREADS: threads, DAMLAB_WORKERS: threads };
  const child = spawn(program, words, { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ...limits, ...waiting, ...environment } });
  const memory = watchMemory(child.pid);
  let errors = "";
  child.stderr.on("data", (text: Buffer) => (errors = (errors + String(text)).slice(-2000)));
  child.stdin.on("error", () => undefined);
  const ended = new Promise<never>((_, reject) => {
    child.once("error", (error) => reject(new MissingContestant(`Cannot start "${program}": ${error.message}`)));
    child.once("close", (code) => reject(new Error(`Contestant "${name}" ended with code ${code}: ${errors.trim()}`)));
  });
  ended.catch(() => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async (): Promise<Message> => {
    const line = await lines.next();
    if (line.done) return ended;
    return line.value.startsWith("{") ? (JSON.parse(line.value) as Message) : read();
  };
  const first = await read();
  if (first.missing !== undefined) {
    memory.stop();
    throw new MissingContestant(first.missing);
  }
  const facts = { ...first.ready };
  return {
    facts,
    async round() {
      const before = readProcessorSeconds(child.pid);
      child.stdin.write("round\n");
      const { seconds, ...more } = await read();
      if (typeof seconds !== "number") throw new Error(`Cannot time "${name}": expected seconds, got ${JSON.stringify(more)}`);
      Object.assign(facts, more);
      const after = readProcessorSeconds(child.pid);
      return {
        seconds: seconds / each,
        processorSeconds: before === null || after === null ? null : (after - before) / each,
        heldBytes: readHeldBytes(child.pid),
      };
    },
    async close() {
      const peak = memory.stop();
      const closed = new Promise((resolve) => child.once("close", resolve));
      child.stdin.end();
      if (child.exitCode === null && child.signalCode === null) await closed;
      return peak;
    },
  };
}
