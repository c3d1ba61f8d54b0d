/** @file Runs notebooks in the stock tslab kernel, over real sockets, without Jupyter. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { Dealer, Subscriber } from "zeromq";
import { type Notebook, type NotebookOutput, sourceOf } from "../../src/kernel/run/notebook";
import { OutputList } from "../../src/kernel/run/outputList";
import { Codec } from "../../src/kernel/wire/codec";
import { HeaderFactory, type Message } from "../../src/kernel/wire/message";
import { freePort } from "../kernel/client";

const TSLAB = resolve(__dirname, "..", "..", "node_modules", "tslab", "bin", "tslab");

/** A running tslab kernel and a client of it. */
class TslabClient {
  private readonly headers = new HeaderFactory();
  private readonly waiting = new Map<string, (message: Message, channel: "shell" | "iopub") => void>();
  private readonly ended: Promise<never>;

  private constructor(
    private readonly child: ChildProcess,
    private readonly codec: Codec,
    private readonly sockets: { shell: Dealer; iopub: Subscriber },
    private readonly folder: string,
  ) {
    this.ended = new Promise((_, reject) => {
      child.once("exit", (code) => reject(new Error(`Cannot run in tslab: expected a running kernel, got exit code ${code}`)));
    });
    this.ended.catch(() => undefined);
    void this.receive(sockets.shell, "shell");
    void this.receive(sockets.iopub, "iopub");
  }

  static async start(cwd: string, environment: Readonly<Record<string, string>>): Promise<TslabClient> {
    const folder = await mkdtemp(join(tmpdir(), "damlab-tslab-"));
    const ports = await Promise.all(Array.from({ length: 5 }, freePort));
    const [shell_port, iopub_port, stdin_port, control_port, hb_port] = ports;
    const key = randomUUID();
    const file = join(folder, "connection.json");
    const connection = { transport: "tcp", ip: "127.0.0.1", key, signature_scheme: "hmac-sha256", shell_port, iopub_port, stdin_port };
    await writeFile(file, JSON.stringify({ ...connection, control_port, hb_port }));
    const child = spawn(process.execPath, [TSLAB, "kernel", `--config-path=${file}`], {
      cwd,
      env: { ...process.env, ...environment },
      stdio: ["ignore", "inherit", "inherit"],
    });
    const sockets = { shell: new Dealer({ linger: 0 }), iopub: new Subscriber({ linger: 0 }) };
    sockets.shell.connect(`tcp://127.0.0.1:${shell_port}`);
    sockets.iopub.connect(`tcp://127.0.0.1:${iopub_port}`);
    sockets.iopub.subscribe();
    const client = new TslabClient(child, new Codec(key), sockets, folder);
    // Before its subscription is there, a client misses what is published: asks until an answer comes on both channels.
    for (let published = false; !published;) {
      published = await Promise.race([client.request("kernel_info_request", {}).then(() => true), client.ended, pause(1000)]);
    }
    return client;
  }

  /** Sends a request; resolves with the reply when the kernel is idle again. */
  async request(type: string, content: object, onPublished: (message: Message) => void = () => undefined): Promise<Message> {
    const header = this.headers.create(type);
    const done = new Promise<Message>((resolve) => {
      let [reply, idle]: [Message | undefined, boolean] = [undefined, false];
      this.waiting.set(header.msg_id, (message, channel) => {
        if (channel === "shell") reply = message;
        else if (message.header.msg_type !== "status") onPublished(message);
        else idle ||= message.content["execution_state"] === "idle";
        if (reply !== undefined && idle) resolve(reply);
      });
    });
    const message = { identities: [], header, parent_header: {}, metadata: {}, content: { ...content }, buffers: [] } as const;
    await this.sockets.shell.send(this.codec.encode(message) as Buffer[]);
    return Promise.race([done, this.ended]);
  }

  async close(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const gone = new Promise((resolve) => this.child.once("exit", resolve));
      this.child.kill("SIGKILL");
      await gone;
    }
    for (const socket of Object.values(this.sockets)) socket.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  private async receive(socket: Dealer | Subscriber, channel: "shell" | "iopub"): Promise<void> {
    for await (const frames of socket) {
      const message = this.codec.decode(frames);
      this.waiting.get(message.parent_header.msg_id ?? "")?.(message, channel);
    }
  }
}

/** A cell that failed. */
export interface TslabFailure {
  /** Number among the code cells, from 1. */
  readonly cell: number;
  /** What the kernel said. */
  readonly traceback: string;
}

/**
 * Runs a notebook's code cells in the stock tslab kernel and writes outputs and counts into it; bars of progress are left out in the end.
 * @param options `cwd`: folder of the cells; `environment`: further variables; `onCell` is called before each cell.
 * @returns The first failure, at which the run ends; undefined where there is none.
 */
export async function runInTslab(
  notebook: Notebook,
  options: {
    readonly cwd: string;
    readonly environment?: Readonly<Record<string, string>>;
    readonly onCell?: (cell: number, total: number) => void;
  },
): Promise<TslabFailure | undefined> {
  const client = await TslabClient.start(options.cwd, options.environment ?? {});
  try {
    const displays = new Map();
    const cells = notebook.cells.filter(({ cell_type }) => cell_type === "code");
    for (const cell of cells) Object.assign(cell, { outputs: [], execution_count: null });
    for (const [index, cell] of cells.entries()) {
      options.onCell?.(index + 1, cells.length);
      const list = new OutputList(displays);
      cell.outputs = list.outputs;
      const code = {
        code: sourceOf(cell),
        silent: false,
        store_history: true,
        user_expressions: {},
        allow_stdin: false,
        stop_on_error: true,
      };
      const { content } = await client.request("execute_request", code, (message) => list.add(message));
      cell.execution_count = (content["execution_count"] as number | undefined) ?? null;
      if (content["status"] !== "ok") {
        const streams = list.outputs.filter(({ output_type }) => output_type === "stream");
        return { cell: index + 1, traceback: streams.flatMap(({ text }) => text as string[]).join("") };
      }
    }
    return undefined;
  } finally {
    for (const cell of notebook.cells) if (cell.outputs) cell.outputs = cell.outputs.filter((output) => !isProgress(output));
    await client.close();
  }
}

function isProgress({ data }: NotebookOutput): boolean {
  return JSON.stringify((data as Record<string, unknown> | undefined)?.["text/html"] ?? "").includes("<progress");
}

/** Folder in which a notebook's cells run: the notebook's own. */
export function folderOf(notebook: string): string {
  return dirname(resolve(notebook));
}

function pause(milliseconds: number): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), milliseconds));
}
