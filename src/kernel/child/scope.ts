/** Names of the session: each a pair of accessors that the cell which declared it last has handed over. */
export class SessionScope {
  /** Cells read and assign earlier names as properties of this. */
  readonly names: Record<string, unknown> = Object.create(null) as Record<string, unknown>;

  /**
   * Takes over those names of a cell that have a value; a name that was never reached keeps its former meaning.
   * @returns The names that were taken over.
   */
  commit(declared: object): string[] {
    const descriptors = Object.entries(Object.getOwnPropertyDescriptors(declared));
    const initialised = descriptors.filter(([, { get }]) => {
      try {
        get!.call(declared);
        return true;
      } catch {
        return false;
      }
    });
    for (const [name, descriptor] of initialised) Object.defineProperty(this.names, name, { ...descriptor, configurable: true });
    return initialised.map(([name]) => name);
  }
}
