import { createHmac, timingSafeEqual } from "node:crypto";
import type { Content, Header, Message } from "./message";

const DELIMITER = Buffer.from("<IDS|MSG>");

/** How many signatures are remembered; a message that comes again within them is refused. */
const REMEMBERED_SIGNATURES = 65_536;

/**
 * Turns messages into signed frames and back. The signature of what arrives is checked on its raw bytes, in constant time, before anything
 * is parsed; a signature that was seen before is refused.
 */
export class Codec {
  private readonly seen = new Set<string>();

  /** @param key Key of HMAC-SHA-256; empty: nothing is signed or checked. */
  constructor(private readonly key: string) {}

  encode(message: Message): Uint8Array[] {
    const parts = [message.header, message.parent_header, message.metadata, message.content].map((part) =>
      Buffer.from(JSON.stringify(part)),
    );
    return [...message.identities, DELIMITER, Buffer.from(this.sign(parts)), ...parts, ...message.buffers];
  }

  /** @throws {SyntaxError} if frames are missing or malformed, the signature is wrong, or the message is a replay. */
  decode(frames: readonly Uint8Array[]): Message {
    const at = frames.findIndex((frame) => DELIMITER.equals(frame));
    if (at < 0 || frames.length < at + 6)
      throw new SyntaxError(`Cannot read message: expected <IDS|MSG> and 5 frames, got ${frames.length}`);
    const parts = frames.slice(at + 2, at + 6);
    this.verify(Buffer.from(frames[at + 1]!).toString("latin1"), parts);
    const [header, parent, metadata, content] = parts.map(parseObject);
    if (typeof header!.msg_id !== "string" || typeof header!.msg_type !== "string")
      throw new SyntaxError("Cannot read message: expected msg_id and msg_type in its header");
    return {
      identities: frames.slice(0, at),
      header: header as unknown as Header,
      parent_header: parent as unknown as Header,
      metadata: metadata!,
      content: content!,
      buffers: frames.slice(at + 6),
    };
  }

  private sign(parts: readonly Uint8Array[]): string {
    if (this.key === "") return "";
    const hmac = createHmac("sha256", this.key);
    for (const part of parts) hmac.update(part);
    return hmac.digest("hex");
  }

  private verify(signature: string, parts: readonly Uint8Array[]): void {
    if (this.key === "") return;
    const given = Buffer.from(signature);
    const wanted = Buffer.from(this.sign(parts));
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) throw new SyntaxError("Cannot read message: wrong signature");
    if (this.seen.has(signature)) throw new SyntaxError("Cannot read message: it came before");
    this.seen.add(signature);
    if (this.seen.size > REMEMBERED_SIGNATURES) this.seen.delete(this.seen.values().next().value!);
  }
}

function parseObject(frame: Uint8Array): Content {
  const value: unknown = JSON.parse(Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength).toString("utf8"));
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new SyntaxError("Cannot read message: expected objects");
  return value as Content;
}
