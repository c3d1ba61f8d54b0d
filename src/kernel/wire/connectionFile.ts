import { readFileSync } from "node:fs";

/** The five channels of the Jupyter messaging protocol. */
export const CHANNELS = ["shell", "control", "iopub", "stdin", "hb"] as const;

/** Name of a channel. */
export type Channel = (typeof CHANNELS)[number];

/** What the file that a client hands to a kernel says: where to listen, and the key that signs messages. */
export interface Connection {
  readonly transport: "tcp" | "ipc";
  readonly ip: string;
  readonly ports: Readonly<Record<Channel, number>>;
  /** Empty: messages are not signed. */
  readonly key: string;
}

/**
 * Reads a connection file; it is never written.
 * @throws {SyntaxError} if it is not JSON; {TypeError} or {RangeError} if a field is missing, wrong or not supported.
 */
export function readConnectionFile(path: string): Connection {
  return parseConnection(readFileSync(path, "utf8"), path);
}

/** Checks the text of a connection file; `name` appears in errors. */
export function parseConnection(text: string, name: string): Connection {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw new SyntaxError(`Cannot read connection file "${name}": ${(error as Error).message}`);
  }
  const wrong = (field: string, expected: string): Error =>
    new TypeError(`Cannot read connection file "${name}": expected ${field} to be ${expected}, got ${JSON.stringify(fields[field])}`);
  const { transport = "tcp", ip, key = "", signature_scheme: scheme = "hmac-sha256" } = fields;
  if (transport !== "tcp" && transport !== "ipc") throw wrong("transport", '"tcp" or "ipc"');
  if (typeof ip !== "string" || ip === "") throw wrong("ip", "an address");
  if (typeof key !== "string") throw wrong("key", "text");
  if (scheme !== "hmac-sha256") throw wrong("signature_scheme", '"hmac-sha256"');
  const ports = {} as Record<Channel, number>;
  for (const channel of CHANNELS) {
    const port = fields[`${channel}_port`];
    if (!Number.isInteger(port) || (port as number) < 1 || (port as number) > 65535) throw wrong(`${channel}_port`, "a port number");
    ports[channel] = port as number;
  }
  return { transport, ip, key, ports };
}

/** The ZeroMQ address of one channel. */
export function channelAddress({ transport, ip, ports }: Connection, channel: Channel): string {
  return transport === "tcp" ? `tcp://${ip}:${ports[channel]}` : `ipc://${ip}-${ports[channel]}`;
}
