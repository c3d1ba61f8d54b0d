import type { ChildHost } from "./childHost";
import type { InterruptWay } from "../link/messages";

/** A signal to the process group reaches the child and the wire within this time. */
const SAME_SIGNAL_MS = 1500;

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
  private signalSeen = { byChild: -Infinity, byWire: -Infinity };

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

  /** SIGINT has come. False if the child, which gets it too, has dealt with it before: what runs by now is not meant. */
  isNewSignal(): boolean {
    const now = performance.now();
    if (now - this.signalSeen.byChild < SAME_SIGNAL_MS) {
      this.signalSeen.byChild = -Infinity;
      return false;
    }
    this.signalSeen.byWire = now;
    return true;
  }

  /** The child's main thread has seen the interrupt. */
  acknowledge(way?: InterruptWay, asked = false): void {
    const now = performance.now();
    if (way === "signal" && now - this.signalSeen.byWire > SAME_SIGNAL_MS) this.signalSeen.byChild = now;
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
