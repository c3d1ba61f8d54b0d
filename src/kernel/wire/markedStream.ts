import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";

/**
 * Text of a pipe in which the child leaves marks: once a mark has been read, everything before it has been read too. The marks themselves are
 * taken out.
 */
export class MarkedStream {
  private readonly decoder = new StringDecoder("utf8");
  private rest = "";
  private lastMark = -1;
  private lastRead = Date.now();
  private waiting: { cell: number; resolve: () => void }[] = [];

  /** @param marker Begins a mark; a decimal number and `\0` end it. */
  constructor(
    private readonly pipe: Readable,
    private readonly marker: string,
    private readonly onText: (text: string) => void,
  ) {
    pipe.on("data", (chunk: Buffer) => this.push(this.decoder.write(chunk)));
    pipe.on("end", () => this.push(this.decoder.end()));
  }

  /** Resolves when the mark of a cell was read, or nothing came for `patience` ms. */
  marked(cell: number, patience: number): Promise<void> {
    if (this.lastMark >= cell) return Promise.resolve();
    const mark = new Promise<void>((resolve) => this.waiting.push({ cell, resolve }));
    return Promise.race([mark, this.quiet(patience)]);
  }

  /** Resolves when nothing came for `patience` ms. */
  async quiet(patience: number): Promise<void> {
    const began = Date.now();
    for (;;) {
      const idle = Date.now() - Math.max(began, this.lastRead);
      if (idle >= patience && !this.pipe.isPaused()) return;
      await new Promise((resolve) => setTimeout(resolve, Math.max(5, patience - idle)).unref());
    }
  }

  private push(text: string): void {
    this.lastRead = Date.now();
    let pending = this.rest + text;
    for (;;) {
      const at = pending.indexOf(this.marker);
      const end = at < 0 ? -1 : pending.indexOf("\0", at + this.marker.length);
      if (end < 0) {
        // A mark may have come in half: what could be its beginning waits for the rest.
        const cut = at >= 0 ? at : partialMark(pending, this.marker);
        this.rest = pending.slice(cut);
        if (cut > 0) this.onText(pending.slice(0, cut));
        return;
      }
      if (at > 0) this.onText(pending.slice(0, at));
      this.lastMark = Number(pending.slice(at + this.marker.length, end));
      this.waiting = this.waiting.filter(({ cell, resolve }) => cell > this.lastMark || resolve());
      pending = pending.slice(end + 1);
    }
  }
}

function partialMark(text: string, marker: string): number {
  const at = text.lastIndexOf(marker[0]!);
  return at >= 0 && marker.startsWith(text.slice(at)) ? at : text.length;
}
