import { randomUUID } from "node:crypto";
import { History } from "../wire/history";
import { Kernel, type KernelTransport } from "../wire/kernel";
import { type Content, HeaderFactory, type Message } from "../wire/message";
import { LanguageThread } from "../language/client";
import type { RequestChannel } from "../wire/sockets";

/** A kernel in this process (user code runs in a child of it, as always), and a client of it without sockets. */
export class LocalClient implements KernelTransport {
  /** It has no sockets. */
  readonly ports = {};
  private readonly language: LanguageThread;
  private readonly kernel: Kernel;
  private readonly headers = new HeaderFactory();
  private readonly listeners = new Map<string, (message: Message) => void>();
  private readonly replies = new Map<string, (reply: Content) => void>();

  /** @param cwd Folder of the notebook. */
  constructor(cwd: string) {
    this.language = new LanguageThread(cwd);
    this.kernel = new Kernel(this, { cwd, language: this.language, history: new History(null), onShutdown: () => undefined });
    this.kernel.start();
  }

  /**
   * Sends a request.
   * @param onMessage Gets what is published for it, also after its reply.
   * @returns Content of the reply.
   */
  request(msg_type: string, content: Content, onMessage: (message: Message) => void = () => undefined): Promise<Content> {
    const header = this.headers.create(msg_type);
    this.listeners.set(header.msg_id, onMessage);
    const reply = new Promise<Content>((resolve) => this.replies.set(header.msg_id, resolve));
    const channel = msg_type === "interrupt_request" ? "control" : "shell";
    this.kernel.receive(channel, {
      identities: [Buffer.from(randomUUID())],
      header,
      parent_header: {},
      metadata: {},
      content,
      buffers: [],
    });
    return reply;
  }

  /** What Ctrl-C asks for; the child has got it too. */
  interrupt(): void {
    this.kernel.interrupt();
  }

  async close(): Promise<void> {
    await this.kernel.close();
    await this.language.close();
  }

  async send(_channel: RequestChannel, { parent_header, content }: Message): Promise<void> {
    this.replies.get(parent_header.msg_id ?? "")?.(content);
  }

  publish(message: Message): void {
    this.listeners.get(message.parent_header.msg_id ?? "")?.(message);
  }

  backpressure(): undefined {
    return undefined;
  }
}
