import { type ChildProcess, spawn } from "node:child_process";
import { createHmac, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Dealer, Request, Subscriber } from "zeromq";

const START = join(__dirname, "..", "..", "kernel-setup", "kernelspec", "start.cjs");
/** Less than Mocha's own, so that a test says what it has waited for. */
const PATIENCE_MS = 50_000;
const LAST_WORDS_MS = 1000;

/** A message as tests look at it. */
export interface Received {
  readonly type: string;
  readonly header: Record<string, string>;
  readonly parent: string | undefined;
  readonly parentHeader: Record<string, string>;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly content: any;
  readonly topic: string;
}

/** What one request led to. */
export interface Answer {
  readonly reply: Received;
  /** Messages on iopub that name the request as their parent, in their order, up to idle. */
  readonly published: readonly Received[];
  /** Text of its streams. */
  readonly stdout: string;
  readonly stderr: string;
  /** `text/plain` of its execute_result. */
  readonly result: string | undefined;
}

/** A kernel process and a client of it, over real sockets. */
export class TestKernel {
  readonly process: ChildProcess;
  readonly folder: string;
  readonly published: Received[] = [];
  readonly key = randomUUID();
  readonly session = randomUUID();
  readonly sockets: { shell: Dealer; control: Dealer; stdin: Dealer; iopub: Subscriber; hb: Request };
  private readonly replies: Received[] = [];
  private waiting: (() => void)[] = [];

  private constructor(folder: string, ports: readonly number[], environment: Readonly<Record<string, string>>) {
    this.folder = folder;
    const [shell, control, stdin, iopub, hb] = ports;
    const file = join(folder, "connection.json");
    const channels = { shell_port: shell, control_port: control, stdin_port: stdin, iopub_port: iopub, hb_port: hb };
    writeFileSync(file, JSON.stringify({ transport: "tcp", ip: "127.0.0.1", key: this.key, signature_scheme: "hmac-sha256", ...channels }));
    const env = { ...process.env, DAMLAB_KERNEL_HISTORY: "", ...environment };
    // A group of its own, so that a test can signal all of it as a Jupyter server does.
    this.process = spawn(process.execPath, [START, file], { cwd: folder, env, stdio: ["ignore", "ignore", "inherit"], detached: true });
    const routingId = randomUUID();
    this.sockets = {
      shell: new Dealer({ routingId, linger: 0 }),
      control: new Dealer({ routingId, linger: 0 }),
      stdin: new Dealer({ routingId, linger: 0 }),
      iopub: new Subscriber({ linger: 0 }),
      hb: new Request({ linger: 0 }),
    };
    Object.values(this.sockets).forEach((socket, index) => socket.connect(`tcp://127.0.0.1:${ports[index]}`));
    this.sockets.iopub.subscribe();
    for (const name of ["shell", "control", "stdin"] as const) void this.receive(this.sockets[name], this.replies);
    void this.receive(this.sockets.iopub, this.published);
  }

  static async start(environment: Readonly<Record<string, string>> = {}): Promise<TestKernel> {
    const ports = await Promise.all(Array.from({ length: 5 }, freePort));
    const kernel = new TestKernel(mkdtempSync(join(tmpdir(), "damlab-kernel-")), ports, environment);
    // Before its subscription is there, a client misses what is published.
    try {
      await kernel.until(() => kernel.published.find(({ type }) => type === "iopub_welcome"), "iopub_welcome");
      return kernel;
    } catch (error) {
      await kernel.stop();
      throw error;
    }
  }

  /** Sends a request and waits for its reply and its idle. */
  async request(type: string, content: object = {}, channel: "shell" | "control" = "shell"): Promise<Answer> {
    return this.answer(await this.send(type, content, channel));
  }

  execute(code: string, options: object = {}): Promise<Answer> {
    return this.request("execute_request", executeContent(code, options));
  }

  /** Sends a request to run code; returns its id at once. */
  begin(code: string, options: object = {}): Promise<string> {
    return this.send("execute_request", executeContent(code, options));
  }

  async send(type: string, content: object, channel: "shell" | "control" | "stdin" = "shell"): Promise<string> {
    const { frames, id } = this.compose(type, content);
    await this.sockets[channel].send(frames);
    return id;
  }

  compose(type: string, content: object): { frames: (string | Buffer)[]; id: string } {
    const id = randomUUID();
    const header = { msg_id: id, msg_type: type, session: this.session, username: "test", date: new Date().toISOString(), version: "5.4" };
    const parts = [header, {}, {}, content].map((part) => JSON.stringify(part));
    const signature = createHmac("sha256", this.key).update(parts.join("")).digest("hex");
    return { frames: ["<IDS|MSG>", signature, ...parts], id };
  }

  async answer(id: string): Promise<Answer> {
    const reply = await this.until(() => this.replies.find((message) => message.parent === id && message.type.endsWith("_reply")), id);
    await this.until(() => this.of(id).find(({ content }) => content.execution_state === "idle"), id);
    const published = this.of(id);
    const text = (name: string): string =>
      published
        .filter(({ type, content }) => type === "stream" && content.name === name)
        .map(({ content }) => content.text)
        .join("");
    const result = published.find(({ type }) => type === "execute_result")?.content.data["text/plain"];
    return { reply, published, stdout: text("stdout"), stderr: text("stderr"), result };
  }

  /** Messages on iopub so far whose parent is this request. */
  of(id: string): Received[] {
    return this.published.filter(({ parent }) => parent === id);
  }

  /** Waits for the first output of a cell, on either stream, whose text matches. */
  printed(id: string, pattern = /^/): Promise<Received> {
    return this.until(
      () => this.of(id).find(({ type, content }) => type === "stream" && pattern.test(content.text)),
      `${pattern} of a cell`,
    );
  }

  /** Messages on stdin, shell and control so far that answer a request. */
  received(id: string): Received[] {
    return this.replies.filter(({ parent }) => parent === id);
  }

  /** The message on stdin or shell that answers a request and has this type. */
  message(type: string, parent: string): Promise<Received> {
    return this.until(() => this.replies.find((message) => message.type === type && message.parent === parent), type);
  }

  /** Waits until `find` finds something. @throws {Error} if nothing comes in `PATIENCE_MS`, or once the kernel has ended. */
  async until<T>(find: () => T | undefined, what: string): Promise<T> {
    let deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (Date.now() > deadline) throw new Error(`Cannot find ${what}: ${this.end ?? `nothing came in ${PATIENCE_MS} ms`}`);
      // Its last words may still be on their way.
      if (this.end !== null) deadline = Math.min(deadline, Date.now() + LAST_WORDS_MS);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 200);
        this.waiting.push(() => (clearTimeout(timer), resolve()));
      });
    }
  }

  /** How the kernel's process has ended; null while it runs. */
  private get end(): string | null {
    const { exitCode, signalCode } = this.process;
    return exitCode === null && signalCode === null ? null : `the kernel has ended (${exitCode ?? signalCode})`;
  }

  async heartbeat(): Promise<void> {
    await this.sockets.hb.send("ping");
    await this.sockets.hb.receive();
  }

  /** Signals the kernel's whole process group. */
  signalGroup(signal: NodeJS.Signals): void {
    process.kill(-this.process.pid!, signal);
  }

  async stop(): Promise<void> {
    if (this.end === null) {
      const ended = new Promise((resolve) => this.process.once("exit", resolve));
      this.signalGroup("SIGKILL");
      await ended;
    }
    for (const socket of Object.values(this.sockets)) socket.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async receive(socket: Dealer | Subscriber, into: Received[]): Promise<void> {
    for await (const frames of socket) {
      const at = frames.findIndex((frame) => frame.toString() === "<IDS|MSG>");
      const [header, parent, , content] = frames.slice(at + 2, at + 6).map((frame) => JSON.parse(frame.toString()));
      const topic = frames[0]!.toString();
      into.push({ type: header.msg_type, header, parent: parent.msg_id, parentHeader: parent, content, topic });
      for (const wake of this.waiting.splice(0)) wake();
    }
  }
}

function executeContent(code: string, options: object): object {
  return { code, silent: false, store_history: true, user_expressions: {}, allow_stdin: true, stop_on_error: true, ...options };
}

/** Below the ports that systems hand out by themselves: between asking and binding, no connection of another program takes one. */
const FIRST_PORT = 10_000;
/** Each of Mocha's processes has ports of its own: it must not be given what another one is about to bind. */
const PORTS_PER_WORKER = 5000;
const WORKERS = 4;

let asked = 0;

/** A port that nobody listens on, another one at each call. */
export async function freePort(): Promise<number> {
  const worker = process.env["MOCHA_WORKER_ID"];
  // Test runs side by side begin at different places.
  const run = worker === undefined ? process.pid : process.ppid;
  const port = FIRST_PORT + (Number(worker ?? 0) % WORKERS) * PORTS_PER_WORKER + ((run * 997 + asked++) % PORTS_PER_WORKER);
  return (await canListen(port)) ? port : freePort();
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
