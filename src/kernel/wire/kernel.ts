import { Executions } from "./executions";
import type { History } from "./history";
import { historyReply } from "./historyReply";
import { kernelInfo } from "./kernelInfo";
import { type Content, type Header, HeaderFactory, type Message } from "./message";
import type { LanguageThread } from "../language/client";
import type { RequestChannel } from "./sockets";

/** What a kernel needs of its surroundings: sockets, or a runner that plays the client in the same process. */
export interface KernelTransport {
  /** Content of `connect_reply`: `shell_port` and the others. */
  readonly ports: Readonly<Record<string, number>>;
  send(channel: RequestChannel, message: Message): Promise<void>;
  publish(message: Message): void;
  /** A promise while subscribers can't keep up. */
  backpressure(): Promise<void> | undefined;
}

/** Settings of a kernel. */
export interface KernelOptions {
  readonly language: LanguageThread;
  readonly history: History;
  /** Folder of the notebook. */
  readonly cwd: string;
  /** Called after the reply to a shutdown request was sent. */
  readonly onShutdown: () => void;
}

/** A request that is being answered. */
export interface Request {
  readonly channel: RequestChannel;
  readonly message: Message;
}

type Handler = (request: Request) => Content | Promise<Content>;

/**
 * Answers the requests of the Jupyter messaging protocol. Code waits in line for the child that runs it; all other requests are answered at
 * once, also while code runs. Around each request `status` messages say busy and idle.
 */
export class Kernel {
  private readonly headers = new HeaderFactory();
  private readonly executions: Executions;
  private readonly handlers: Readonly<Record<string, Handler>>;

  constructor(
    private readonly transport: KernelTransport,
    private readonly options: KernelOptions,
  ) {
    const { language, history } = options;
    this.executions = new Executions(this, options);
    this.handlers = {
      kernel_info_request: () => kernelInfo(),
      connect_request: () => ({ status: "ok", ...transport.ports }),
      complete_request: ({ message }) => language.complete(String(message.content.code), Number(message.content.cursor_pos)),
      inspect_request: ({ message: { content } }) =>
        language.inspect(String(content.code), Number(content.cursor_pos), Number(content.detail_level ?? 0)),
      is_complete_request: ({ message }) => language.isComplete(String(message.content.code)),
      history_request: ({ message }) => historyReply(history, message.content),
      comm_info_request: ({ message }) => this.executions.comms.info(message.content),
      interrupt_request: () => {
        this.executions.interrupt();
        return { status: "ok" };
      },
      shutdown_request: ({ message }) => this.shutdown(message),
    };
  }

  /** Starts the process for user code and says `starting`. */
  start(): void {
    this.publish("status", { execution_state: "starting" });
    this.executions.start();
  }

  /** Handles one message of a client. */
  receive(channel: RequestChannel, message: Message): void {
    const request = { channel, message };
    const { msg_type } = message.header;
    if (msg_type === "input_reply") return this.executions.inputReply(message);
    if (msg_type === "execute_request") return this.executions.enqueue(request);
    void this.answer(request);
  }

  /** What SIGINT asks for. */
  interrupt(): void {
    this.executions.interrupt();
  }

  /** Tells one subscriber that its subscription has begun. */
  welcome(topic: string): void {
    const identities = topic === "" ? [] : [Buffer.from(topic)];
    this.transport.publish({ ...this.compose("iopub_welcome", { subscription: topic }), identities });
  }

  /** Publishes a message on iopub; `parent` is the request that caused it. */
  publish(msg_type: string, content: Content, { parent, metadata = {}, buffers = [] }: PublishOptions = {}): void {
    this.transport.publish({
      ...this.compose(msg_type, content),
      identities: [Buffer.from(`kernel.${this.headers.session}.${msg_type}`)],
      parent_header: parent ?? {},
      metadata,
      buffers,
    });
  }

  status(execution_state: "busy" | "idle", parent: Header): void {
    this.publish("status", { execution_state }, { parent });
  }

  reply({ channel, message }: Request, content: Content): Promise<void> {
    const type = message.header.msg_type.replace(/_request$/, "_reply");
    const reply = this.compose(type, content);
    return this.transport.send(channel, { ...reply, identities: message.identities, parent_header: message.header });
  }

  /** Asks the client that sent a request for a line of input. */
  requestInput({ message }: Request, content: Content): void {
    const request = this.compose("input_request", content);
    void this.transport.send("stdin", { ...request, identities: message.identities, parent_header: message.header });
  }

  /** A promise while subscribers can't keep up. */
  backpressure(): Promise<void> | undefined {
    return this.transport.backpressure();
  }

  /** Ends the process for user code. */
  close(): Promise<void> {
    return this.executions.close();
  }

  private compose(msg_type: string, content: Content): Message {
    return { identities: [], header: this.headers.create(msg_type), parent_header: {}, metadata: {}, content, buffers: [] };
  }

  private async answer(request: Request): Promise<void> {
    const { header } = request.message;
    this.status("busy", header);
    if (header.msg_type.startsWith("comm_") && header.msg_type !== "comm_info_request") this.executions.comms.fromClient(request.message);
    else if (header.msg_type.endsWith("_request")) {
      const handler = this.handlers[header.msg_type] ?? unsupported;
      await this.reply(request, await Promise.resolve(request).then(handler).catch(failure));
    }
    this.status("idle", header);
    // A client that shows one state for the kernel should go on to see that a cell runs.
    const running = this.executions.running;
    if (running !== undefined) this.status("busy", running);
    if (header.msg_type === "shutdown_request") this.options.onShutdown();
  }

  private shutdown({ content, header }: Message): Content {
    const reply = { status: "ok", restart: content.restart === true };
    void this.executions.close();
    this.publish("shutdown_reply", reply, { parent: header });
    return reply;
  }
}

interface PublishOptions {
  readonly parent?: Header;
  readonly metadata?: Content;
  readonly buffers?: readonly Uint8Array[];
}

function unsupported({ message }: Request): never {
  throw new TypeError(`Cannot answer "${message.header.msg_type}": this kernel does not know it`);
}

function failure(error: unknown): Content {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return { status: "error", ename: name, evalue: message, traceback: [] };
}
