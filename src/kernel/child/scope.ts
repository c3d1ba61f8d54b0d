type Read = () => unknown;
type Write = (value: unknown) => void;

/** The names that a cell declares: for each a way to read it and, unless it is constant, to assign it. */
export type DeclaredAccess = Readonly<Record<string, readonly [Read, Write?]>>;

/**
 * One name of the session. Cells of later turns read and assign `v`: a class with a fixed shape, because V8 takes ten times as long for
 * accessors of objects that have one shape each.
 */
export class Slot {
  private read: Read;
  private write: Write;

  constructor(name: string) {
    this.read = () => {
      throw new ReferenceError(`${name} is not defined`);
    };
    this.write = this.read;
  }

  get v(): unknown {
    return this.read();
  }

  set v(value: unknown) {
    this.write(value);
  }

  /** From now on the name means another variable. */
  bind(read: Read, write: Write = refuseAssignment): void {
    this.read = read;
    this.write = write;
  }
}

function refuseAssignment(): never {
  throw new TypeError("Assignment to constant variable.");
}

/** Names of the session; each means what the last cell that declared it has made of it. */
export class SessionScope {
  private readonly slots = new Map<string, Slot>();

  slot(name: string): Slot {
    let slot = this.slots.get(name);
    if (slot === undefined) this.slots.set(name, (slot = new Slot(name)));
    return slot;
  }

  /**
   * Takes over those names of a cell that have a value; a name that was never reached keeps its former meaning.
   * @returns The names that were taken over.
   */
  commit(declared: DeclaredAccess): string[] {
    const initialised = Object.entries(declared).filter(([, [read]]) => {
      try {
        read();
        return true;
      } catch {
        return false;
      }
    });
    for (const [name, [read, write]] of initialised) this.slot(name).bind(read, write);
    return initialised.map(([name]) => name);
  }
}
