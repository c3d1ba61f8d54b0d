import { send } from "./channel";
import { ownCell } from "./cells";

/** Sends what is written to `process.stdout` and `process.stderr` to the cell that wrote it. */
export function captureStreams(): void {
  for (const name of ["stdout", "stderr"] as const) {
    const write = (chunk: string | Uint8Array, encoding?: unknown, callback?: unknown): boolean => {
      const text = typeof chunk === "string" ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString("utf8");
      if (text !== "") send({ type: "stream", cell: ownCell()?.cell ?? 0, name, text });
      const done = typeof encoding === "function" ? encoding : callback;
      if (typeof done === "function") process.nextTick(done as () => void);
      return true;
    };
    process[name].write = write;
  }
}
