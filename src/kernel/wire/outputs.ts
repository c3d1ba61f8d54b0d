import type { Kernel } from "./kernel";
import type { Header } from "./message";

/** Text waits so long for more to come. */
const BATCH_MS = 10;

/** A message of a stream holds about so much text at most. */
const BATCH_LENGTH = 256_000;

/** Up to so many changes between streams keep their order; in a flood only the order within each stream is kept. */
const ORDERED_PIECES = 32;

/** How many cells are remembered, so that late output finds its cell. */
const REMEMBERED_CELLS = 20_000;

interface Piece {
  readonly cell: number;
  readonly name: "stdout" | "stderr";
  text: string;
}

/** Publishes what cells show, each piece under the request that caused it. A flood of lines becomes few messages. */
export class Outputs {
  private readonly parents = new Map<number, Header>();
  private pieces: Piece[] = [];
  private length = 0;
  private timer: NodeJS.Timeout | undefined;

  /** @param onPressure Called when subscribers can't keep up, with a promise for the time when they can. */
  constructor(
    private readonly kernel: Kernel,
    private readonly onPressure: (until: Promise<void>) => void,
  ) {}

  /** From now on, output of this cell goes to this request. */
  register(cell: number, parent: Header): void {
    this.parents.set(cell, parent);
    if (this.parents.size > REMEMBERED_CELLS) this.parents.delete(this.parents.keys().next().value!);
  }

  parentOf(cell: number): Header | undefined {
    return this.parents.get(cell);
  }

  stream(cell: number, name: "stdout" | "stderr", text: string): void {
    const last =
      this.pieces.length < ORDERED_PIECES
        ? this.pieces.at(-1)
        : this.pieces.findLast((piece) => piece.cell === cell && piece.name === name);
    if (last?.cell === cell && last.name === name) last.text += text;
    else this.pieces.push({ cell, name, text });
    this.length += text.length;
    if (this.length > BATCH_LENGTH) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), BATCH_MS);
  }

  /** Publishes a message of a cell, after the text that came before it. */
  publish(cell: number, msg_type: string, content: Readonly<Record<string, unknown>>): void {
    this.flush();
    const parent = this.parents.get(cell);
    this.kernel.publish(msg_type, content, parent && { parent });
    this.checkPressure();
  }

  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const pieces = this.pieces;
    this.pieces = [];
    this.length = 0;
    for (const { cell, name, text } of pieces) {
      const parent = this.parents.get(cell);
      this.kernel.publish("stream", { name, text }, parent && { parent });
    }
    if (pieces.length > 0) this.checkPressure();
  }

  private checkPressure(): void {
    const until = this.kernel.backpressure();
    if (until !== undefined) this.onPressure(until);
  }
}
