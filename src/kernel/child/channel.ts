import { writeSync } from "node:fs";
import { CHILD_PIPES, type Event } from "../link/messages";

const pause = new Int32Array(new SharedArrayBuffer(4));

/** Sends an event to the wire. When this returns it is in the pipe, so it arrives even if the process dies next. */
export function send(event: Event): void {
  writeFully(CHILD_PIPES.events, Buffer.from(`${JSON.stringify(event)}\n`));
}

/** Writes all bytes to a file descriptor; waits for its reader where need be. */
export function writeFully(descriptor: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) {
    try {
      written += writeSync(descriptor, bytes, written);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(pause, 0, 0, 1);
    }
  }
}
