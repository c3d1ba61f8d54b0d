import type { ChildHost } from "./childHost";
import type { Kernel } from "./kernel";
import type { Content, Header, Message } from "./message";
import type { CommKind, Event } from "../link/messages";

type CommEvent = Extract<Event, { type: "comm" }>;

/** The open comms: who asks which are open is answered here, also while a cell runs. */
export class CommTable {
  private readonly targets = new Map<string, string>();

  constructor(
    private readonly kernel: Kernel,
    private readonly child: ChildHost,
  ) {}

  info({ target_name: wanted }: Content): Content {
    const open = [...this.targets].filter(([, target]) => typeof wanted !== "string" || wanted === target);
    return { status: "ok", comms: Object.fromEntries(open.map(([id, target_name]) => [id, { target_name }])) };
  }

  fromClient({ header, content, buffers }: Message): void {
    const kind = header.msg_type as CommKind;
    this.note(kind, content);
    const encoded = buffers.map((buffer) => Buffer.from(buffer).toString("base64"));
    this.child.send({ type: "comm", kind, content, buffers: encoded });
  }

  fromChild({ kind, content, metadata, buffers }: CommEvent, parent: Header | undefined): void {
    this.note(kind, content);
    const decoded = buffers.map((buffer) => Buffer.from(buffer, "base64"));
    this.kernel.publish(kind, content, { metadata, buffers: decoded, ...(parent && { parent }) });
  }

  private note(kind: CommKind, content: Content): void {
    const id = String(content.comm_id);
    if (kind === "comm_open") this.targets.set(id, String(content.target_name));
    if (kind === "comm_close") this.targets.delete(id);
  }
}
