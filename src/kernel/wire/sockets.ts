import { Reply, Router, XPublisher } from "zeromq";
import type { Codec } from "./codec";
import { channelAddress, CHANNELS, type Connection } from "./connectionFile";
import type { Message } from "./message";

/** A channel on which requests arrive. */
export type RequestChannel = "shell" | "control" | "stdin";

/** How many bytes may wait for iopub's subscribers before whoever produces output is asked to wait. */
const IOPUB_PATIENCE_BYTES = 4_000_000;

/** A subscriber that takes nothing for so long loses messages, so that the kernel can go on. */
const IOPUB_TIMEOUT_MS = 20_000;

/** The five ZeroMQ sockets of a kernel. Each socket sends one message after the other; none of them ever makes another wait. */
export class KernelSockets {
  private readonly routers: Record<RequestChannel, Router>;
  private readonly publisher = new XPublisher({ noDrop: true, sendTimeout: IOPUB_TIMEOUT_MS, linger: 1000, verbosity: "allSubs" });
  private readonly heartbeat = new Reply({ linger: 0 });
  private readonly lines = new Map<object, Promise<void>>();
  private waitingBytes = 0;
  private drained: (() => void)[] = [];

  constructor(
    private readonly connection: Connection,
    private readonly codec: Codec,
  ) {
    const router = (): Router => new Router({ linger: 1000, sendHighWaterMark: 0, receiveHighWaterMark: 0, handover: true });
    this.routers = { shell: router(), control: router(), stdin: router() };
  }

  get ports(): Readonly<Record<string, number>> {
    return Object.fromEntries(CHANNELS.map((channel) => [`${channel}_port`, this.connection.ports[channel]]));
  }

  /**
   * Binds all sockets and begins to deliver what arrives.
   * @param onMessage Called for each message whose signature is right, in the order of arrival on its channel.
   * @param onSubscribe Called with the topic of each new subscription to iopub.
   */
  async open(onMessage: (channel: RequestChannel, message: Message) => void, onSubscribe: (topic: string) => void): Promise<void> {
    const bind = (socket: Router | Reply | XPublisher, channel: RequestChannel | "hb" | "iopub"): Promise<void> =>
      socket.bind(channelAddress(this.connection, channel));
    const { shell, control, stdin } = this.routers;
    await Promise.all([
      bind(shell, "shell"),
      bind(control, "control"),
      bind(stdin, "stdin"),
      bind(this.publisher, "iopub"),
      bind(this.heartbeat, "hb"),
    ]);
    for (const channel of ["shell", "control", "stdin"] as const) void this.receive(channel, onMessage);
    void this.echoHeartbeat();
    void this.receiveSubscriptions(onSubscribe);
  }

  send(channel: RequestChannel, message: Message): Promise<void> {
    return this.enqueue(this.routers[channel], this.codec.encode(message));
  }

  publish(message: Message): void {
    const frames = this.codec.encode(message);
    const bytes = frames.reduce((sum, frame) => sum + frame.length, 0);
    this.waitingBytes += bytes;
    void this.enqueue(this.publisher, frames).then(() => {
      this.waitingBytes -= bytes;
      if (this.waitingBytes < IOPUB_PATIENCE_BYTES) for (const resolve of this.drained.splice(0)) resolve();
    });
  }

  /** Resolves when subscribers have taken enough for more output to be made; undefined if nobody needs to wait. */
  backpressure(): Promise<void> | undefined {
    if (this.waitingBytes < IOPUB_PATIENCE_BYTES) return undefined;
    return new Promise((resolve) => this.drained.push(resolve));
  }

  /** Sends what waits, then closes all sockets. */
  async close(): Promise<void> {
    await Promise.all(this.lines.values());
    for (const socket of [...Object.values(this.routers), this.publisher, this.heartbeat]) socket.close();
  }

  private enqueue(socket: Router | XPublisher, frames: Uint8Array[]): Promise<void> {
    const before = this.lines.get(socket) ?? Promise.resolve();
    // A message that cannot be sent (its client is gone) must not stop those behind it.
    const sent = before.then(() => socket.send(frames as Buffer[])).catch(() => undefined);
    this.lines.set(socket, sent);
    return sent;
  }

  private async receive(channel: RequestChannel, onMessage: (channel: RequestChannel, message: Message) => void): Promise<void> {
    for await (const frames of this.routers[channel]) {
      try {
        onMessage(channel, this.codec.decode(frames));
      } catch (error) {
        process.stderr.write(`damlab kernel: ${channel}: ${(error as Error).message}\n`);
      }
    }
  }

  private async echoHeartbeat(): Promise<void> {
    for await (const frames of this.heartbeat) await this.heartbeat.send(frames);
  }

  private async receiveSubscriptions(onSubscribe: (topic: string) => void): Promise<void> {
    // The first byte says whether a subscription begins (1) or ends (0).
    for await (const [frame] of this.publisher) if (frame?.[0] === 1) onSubscribe(frame.subarray(1).toString("utf8"));
  }
}
