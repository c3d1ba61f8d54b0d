import type { ChildHost } from "./childHost";

/** A cell that has not seen an interrupt after this time is inside code that cannot be interrupted. */
const PATIENCE_MS = 250;

const WARNING =
  "The cell is inside code that can't be interrupted. Interrupt again to end it at once: all variables and imports will be lost.\n";

/**
 * The stages of an interrupt: the child is asked; if it stays deaf, a line says so; the next interrupt kills it. A child that has seen an
 * interrupt, but goes on, is asked again at the next one.
 */
export class InterruptState {
  /** The code of the child listens for interrupts by itself: damlab's long cells, which end after a step and lose nothing. */
  cooperative = false;
  /** True once a second interrupt has killed the child. */
  killed = false;
  /** The input that the cell waits for. */
  inputId: number | undefined;
  private cell = 0;
  private timer: NodeJS.Timeout | undefined;
  private warned = false;
  private asked = false;

  constructor(
    private readonly child: ChildHost,
    private readonly say: (text: string) => void,
  ) {}

  begin(cell: number): void {
    this.end();
    this.cell = cell;
    this.asked = false;
    this.killed = false;
  }

  /** True while the child has the cell; before, the cell is being compiled. */
  get inChild(): boolean {
    return this.cell !== 0;
  }

  end(): void {
    this.acknowledge();
    this.cell = 0;
    this.inputId = undefined;
  }

  request(): void {
    if (!this.inChild) return;
    if (this.warned) {
      this.killed = true;
      this.child.kill();
      return;
    }
    this.child.interrupt(this.cell);
    // A step may take long; nothing is wrong then.
    if (this.cooperative && !this.asked) return this.sayAsked();
    this.timer ??= setTimeout(() => {
      this.warned = true;
      this.say(WARNING);
    }, PATIENCE_MS);
  }

  /** The child's main thread has seen the interrupt. */
  acknowledge(asked = false): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.warned = false;
    if (asked) this.sayAsked();
  }

  private sayAsked(): void {
    if (!this.asked) this.say("Stopping after this step. Interrupt again to stop at once.\n");
    this.asked = true;
  }
}

/**
 * Resolves when all signals have been handled that have come by now, in an event loop that handles signals last: they were meant for what ran
 * before.
 */
export async function pendingSignals(): Promise<void> {
  // The first turn may have asked the system before.
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
}
