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
  /** True while the child has the cell; before, the cell is being compiled. */
  inChild = false;
  /** True once a second interrupt has killed the child. */
  killed = false;
  /** The input that the cell waits for. */
  inputId: number | undefined;
  private timer: NodeJS.Timeout | undefined;
  private warned = false;

  constructor(
    private readonly child: ChildHost,
    private readonly say: (text: string) => void,
  ) {}

  begin(): void {
    this.end();
    this.inChild = true;
    this.killed = false;
  }

  end(): void {
    this.acknowledge();
    this.inChild = false;
    this.inputId = undefined;
  }

  request(): void {
    if (!this.inChild) return;
    if (this.warned) {
      this.killed = true;
      this.child.kill();
      return;
    }
    this.child.interrupt();
    this.timer ??= setTimeout(() => {
      this.warned = true;
      this.say(WARNING);
    }, PATIENCE_MS);
  }

  /** The child's main thread has seen the interrupt. */
  acknowledge(note?: string): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.warned = false;
    if (note !== undefined) this.say(note);
  }
}
