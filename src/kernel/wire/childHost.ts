import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { MarkedStream } from "./markedStream";
import { endDescendants } from "../link/descendants";
import { ENGINE_MEMORY } from "../link/engineMemory";
import { JsonLines } from "../link/lines";
import { CHILD_PIPES, type Event, type Request } from "../link/messages";

/** What a host of a child reports. */
export interface ChildEvents {
  onEvent(event: Event): void;
  /** Text that came through file descriptor 1 or 2 itself. */
  onRaw(name: "stdout" | "stderr", text: string): void;
  /** The child has ended, and all that it had written has been read; `reason` says how, such as "exit code 3". */
  onEnd(reason: string): void;
}

/** Cells load modules in ways that Node calls experimental; its warning would stand in their output. */
const CHILD_FLAGS = [...process.execArgv, "--disable-warning=ExperimentalWarning"];

/** How long nothing must arrive on a pipe that should end, before it counts as read. */
const QUIET_MS = 250;

/** Starts the process that runs user code, talks to it, and ends it. After `start`, a new child takes the place of the former one. */
export class ChildHost {
  private process: ChildProcess | undefined;
  private raw: MarkedStream[] = [];
  private gone = Promise.resolve();

  constructor(
    private readonly cwd: string,
    private readonly events: ChildEvents,
  ) {}

  start(): void {
    const token = randomBytes(12).toString("hex");
    const marker = `\0${token}:`;
    const child = spawn(process.execPath, [...CHILD_FLAGS, join(__dirname, "..", "child", "main.js")], {
      cwd: this.cwd,
      stdio: ["ignore", "pipe", "pipe", "pipe", "pipe", "pipe"],
      env: { ...ENGINE_MEMORY, ...process.env, DAMLAB_KERNEL_MARKER: token },
    });
    this.process = child;
    const onRaw = (name: "stdout" | "stderr") => (text: string) => this.process === child && this.events.onRaw(name, text);
    const raw = [new MarkedStream(child.stdout!, marker, onRaw("stdout")), new MarkedStream(child.stderr!, marker, onRaw("stderr"))];
    this.raw = raw;
    const events = child.stdio[CHILD_PIPES.events] as Readable;
    const lines = new JsonLines<Event>((event) => this.process === child && this.events.onEvent(event));
    events.on("data", (chunk: Buffer) => lines.push(chunk));
    const ended = new Promise((resolve) => events.on("close", resolve));
    // User code has closed the pipe: nothing could be heard of the child any more.
    events.on("close", () => setTimeout(() => child.kill("SIGKILL"), QUIET_MS).unref());
    for (const pipe of child.stdio) pipe?.on("error", () => undefined);
    child.on("error", () => undefined);
    child.on("exit", (code, signal) => {
      void Promise.all([ended, ...raw.map((stream) => stream.quiet(QUIET_MS / 5))]).then(() => {
        if (this.process !== child) return;
        this.process = undefined;
        this.events.onEnd(signal === null ? `exit code ${code}` : `signal ${signal}`);
      });
    });
  }

  send(request: Request): void {
    this.pipe<Writable>(CHILD_PIPES.requests)?.write(`${JSON.stringify(request)}\n`);
  }

  /** Asks the child's guard thread to interrupt a cell, or (0) whatever a cell of former times still does. */
  interrupt(cell: number): void {
    this.pipe<Writable>(CHILD_PIPES.guard)?.write(`${cell}\n`);
  }

  /** Resolves when all has been read that was written to file descriptors 1 and 2 before the child's marker for `cell`. */
  async drain(cell: number): Promise<void> {
    await Promise.all(this.raw.map((stream) => stream.marked(cell, QUIET_MS * 8)));
  }

  /** Stops reading until the promise resolves; the child's writes wait meanwhile. */
  hold(until: Promise<void>): void {
    const pipes = [this.process?.stdout, this.process?.stderr, this.pipe<Readable>(CHILD_PIPES.events)];
    for (const pipe of pipes) pipe?.pause();
    void until.then(() => pipes.forEach((pipe) => pipe?.resume()));
  }

  kill(): void {
    if (this.process !== undefined) end(this.process);
  }

  /** Ends the child for good; nothing is reported any more. Resolves when it is gone. */
  close(): Promise<void> {
    const child = this.process;
    this.process = undefined;
    if (child === undefined) return this.gone;
    this.gone = new Promise((resolve) => child.once("exit", () => resolve()));
    end(child);
    return this.gone;
  }

  private pipe<T extends Readable | Writable>(descriptor: number): T | undefined {
    return (this.process?.stdio as (T | null | undefined)[] | undefined)?.[descriptor] ?? undefined;
  }
}

/** Ends a child at once, and what it has started. */
function end(child: ChildProcess): void {
  // It must not go on, and start more, when what it waits for has ended.
  if (process.platform !== "win32") child.kill("SIGSTOP");
  if (child.pid !== undefined) endDescendants(child.pid);
  child.kill("SIGKILL");
}
