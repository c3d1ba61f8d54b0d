import { StringDecoder } from "node:string_decoder";
import { send } from "./channel";
import { ownCell } from "./cells";

/** Sends what is written to `process.stdout` and `process.stderr` to the cell that wrote it. */
export function captureStreams(): void {
  for (const name of ["stdout", "stderr"] as const) {
    // A character may come in parts.
    const decoder = new StringDecoder("utf8");
    const write = (chunk: string | Uint8Array, encoding?: unknown, callback?: unknown): boolean => {
      const isEncoded = typeof encoding === "string" && !/^utf-?8$/i.test(encoding);
      const bytes = typeof chunk !== "string" ? chunk : isEncoded ? Buffer.from(chunk, encoding as BufferEncoding) : undefined;
      const text = bytes === undefined ? (chunk as string) : decoder.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
      if (text !== "") send({ type: "stream", cell: ownCell()?.cell ?? 0, name, text });
      const done = typeof encoding === "function" ? encoding : callback;
      if (typeof done === "function") process.nextTick(done as () => void);
      return true;
    };
    process[name].write = write;
  }
}
