import type { ChildHost } from "./childHost";
import type { Kernel } from "./kernel";
import type { Content, Header, Message } from "./message";
import type { CommKind, Event } from "../link/messages";

type CommEvent = Extract<Event, { type: "comm" }>;

/** The open comms: who asks which are open is answered here, also while a cell runs. */
export class CommTable {
  /** Targets of the open comms, by id. */
  private readonly open = new Map<string, string>();
  /** Targets that the child has registered. */
  private readonly known = new Set<string>();

  constructor(
    private readonly kernel: Kernel,
    private readonly child: ChildHost,
  ) {}

  info({ target_name: wanted }: Content): Content {
    const open = [...this.open].filter(([, target]) => typeof wanted !== "string" || wanted === target);
    return { status: "ok", comms: Object.fromEntries(open.map(([id, target_name]) => [id, { target_name }])) };
  }

  fromClient({ header, content, buffers }: Message): void {
    const kind = header.msg_type as CommKind;
    // The protocol's answer to an unknown target; it need not wait for a busy child.
    if (kind === "comm_open" && !this.known.has(String(content.target_name)))
      return this.kernel.publish("comm_close", { comm_id: content.comm_id, data: {} }, { parent: header });
    this.note(kind, content);
    const encoded = buffers.map((buffer) => Buffer.from(buffer).toString("base64"));
    this.child.send({ type: "comm", kind, content, buffers: encoded });
  }

  fromChild({ kind, content, metadata, buffers }: CommEvent, parent: Header | undefined): void {
    this.note(kind, content);
    const decoded = buffers.map((buffer) => Buffer.from(buffer, "base64"));
    this.kernel.publish(kind, content, { metadata, buffers: decoded, ...(parent && { parent }) });
  }

  /** Clients may open comms to this target from now on. */
  addTarget(name: string): void {
    this.known.add(name);
  }

  /** The child has ended, and with it the other ends of all comms. */
  closeAll(): void {
    for (const comm_id of this.open.keys()) this.kernel.publish("comm_close", { comm_id, data: {} });
    this.open.clear();
    this.known.clear();
  }

  private note(kind: CommKind, content: Content): void {
    const id = String(content.comm_id);
    if (kind === "comm_open") this.open.set(id, String(content.target_name));
    if (kind === "comm_close") this.open.delete(id);
  }
}
