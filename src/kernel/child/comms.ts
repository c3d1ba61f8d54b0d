import { randomUUID } from "node:crypto";
import { ownCell } from "./cells";
import { send } from "./channel";
import type { CommKind, Request } from "../link/messages";

type CommRequest = Extract<Request, { type: "comm" }>;
type Data = Readonly<Record<string, unknown>>;

/** A channel between code in a cell and a widget in the client. */
export class Comm {
  /** Called with the data of each message of the client. */
  onMessage: (data: Data, buffers: readonly Uint8Array[]) => void = () => undefined;
  /** Called when the client closes the channel. */
  onClose: (data: Data) => void = () => undefined;

  constructor(
    readonly id: string,
    readonly targetName: string,
  ) {}

  send(data: Data, { metadata = {}, buffers = [] }: { metadata?: Data; buffers?: readonly Uint8Array[] } = {}): void {
    sendComm("comm_msg", { comm_id: this.id, data }, metadata, buffers);
  }

  close(data: Data = {}): void {
    sendComm("comm_close", { comm_id: this.id, data });
  }
}

/** Called when a client opens a comm to a target. */
export type CommTarget = (comm: Comm, data: Data) => void;

/** The comms of the session and the targets that clients may open. */
export class CommRegistry {
  private readonly targets = new Map<string, CommTarget>();
  private readonly comms = new Map<string, Comm>();

  registerTarget(name: string, target: CommTarget): void {
    this.targets.set(name, target);
    send({ type: "comm_target", name });
  }

  /** Opens a comm to a target that the client knows. */
  open(targetName: string, data: Data = {}, metadata: Data = {}): Comm {
    const comm = new Comm(randomUUID(), targetName);
    this.comms.set(comm.id, comm);
    sendComm("comm_open", { comm_id: comm.id, target_name: targetName, data }, metadata);
    return comm;
  }

  receive({ kind, content, buffers }: CommRequest): void {
    const id = String(content.comm_id);
    const data = (content.data ?? {}) as Data;
    const comm = this.comms.get(id);
    if (kind === "comm_open") return this.opened(id, String(content.target_name), data);
    if (kind === "comm_close") {
      this.comms.delete(id);
      comm?.onClose(data);
    } else
      comm?.onMessage(
        data,
        buffers.map((buffer) => Buffer.from(buffer, "base64")),
      );
  }

  private opened(id: string, targetName: string, data: Data): void {
    const target = this.targets.get(targetName);
    // The wire has answered for targets that are not there.
    if (target === undefined) return;
    const comm = new Comm(id, targetName);
    this.comms.set(id, comm);
    target(comm, data);
  }
}

function sendComm(kind: CommKind, content: Data, metadata: Data = {}, buffers: readonly Uint8Array[] = []): void {
  const encoded = buffers.map((buffer) => Buffer.from(buffer).toString("base64"));
  send({ type: "comm", cell: ownCell()?.cell ?? 0, kind, content, metadata, buffers: encoded });
}
