/** @file What the programs about the defence understand on their command lines. */

/** A flag that may be given any number of times. */
export const many = { type: "string", multiple: true, default: [] as string[] } as const;

/** Wrong usage ends the process with one line. */
export function usage<Parsed>(parse: () => Parsed): Parsed {
  try {
    return parse();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return process.exit(2);
  }
}

/** Numbers with commas between them. */
export function numbers(list: string): number[] {
  return list.split(",").map((text) => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value))
      throw new RangeError(`Cannot read "${list}": expected numbers with commas, got "${text}"`);
    return value;
  });
}

/** `KEY=VALUE`, with VALUE as JSON where it is JSON. */
export function pair(text: string): [string, unknown] {
  const cut = text.indexOf("=");
  if (cut < 1) throw new RangeError(`Cannot read "${text}": expected KEY=VALUE`);
  const [key, value] = [text.slice(0, cut), text.slice(cut + 1)];
  try {
    return [key, JSON.parse(value)];
  } catch {
    return [key, value];
  }
}

/** Runs a program; what it throws becomes one line. */
export function runMain(main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}
