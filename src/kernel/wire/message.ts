import { randomUUID } from "node:crypto";

/** Version of the messaging protocol that is spoken here. */
export const PROTOCOL_VERSION = "5.4";

/** Header of a message, in the protocol's own words. */
export interface Header {
  readonly msg_id: string;
  readonly msg_type: string;
  readonly session: string;
  readonly username: string;
  readonly date: string;
  readonly version: string;
}

/** Content of a message: JSON. */
export type Content = Readonly<Record<string, unknown>>;

/** A message, whichever way it goes. */
export interface Message {
  /** Routing identities that a ROUTER socket put before it; on iopub the topic. */
  readonly identities: readonly Uint8Array[];
  readonly header: Header;
  /** Header of the request that caused it; empty if none did. */
  readonly parent_header: Header | Record<string, never>;
  readonly metadata: Content;
  readonly content: Content;
  readonly buffers: readonly Uint8Array[];
}

/** Makes headers that carry one session's id. */
export class HeaderFactory {
  readonly session: string = randomUUID();
  private count = 0;

  create(msg_type: string): Header {
    return {
      msg_id: `${this.session}_${++this.count}`,
      msg_type,
      session: this.session,
      username: "damlab",
      date: new Date().toISOString(),
      version: PROTOCOL_VERSION,
    };
  }
}
