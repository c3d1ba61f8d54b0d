import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Each cell makes a new type checker; V8 would let hundreds of old ones pile up before it looks. */
const CELLS_BEFORE_IDLE_COLLECTION = 16;
const CELLS_BEFORE_COLLECTION = 32;
const IDLE_MS = 300;

/** Collects the garbage of the language service: in a pause, or else after so many cells that a pause must not be waited for. */
export class GarbageCollector {
  private readonly collect: () => void;
  private cells = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor() {
    setFlagsFromString("--expose-gc");
    this.collect = runInNewContext("gc") as () => void;
  }

  /** Called after each compiled cell. */
  noteCell(): void {
    this.cells++;
    clearTimeout(this.timer);
    if (this.cells >= CELLS_BEFORE_COLLECTION) this.run();
    else if (this.cells >= CELLS_BEFORE_IDLE_COLLECTION) this.timer = setTimeout(() => this.run(), IDLE_MS).unref();
  }

  private run(): void {
    this.cells = 0;
    this.collect();
  }
}
