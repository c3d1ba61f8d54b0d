/**
 * What a verb says: results go to stdout, everything else (progress, logs, reasons) to stderr.
 */

/** Thrown by a verb that was called wrongly; the command then ends with exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/**
 * Writes one JSON document to stdout, indented by two spaces, with a final line feed.
 * Typed arrays become arrays, maps become objects, 64-bit integers decimal strings, and numbers that JSON lacks (NaN, infinities) null.
 */
export function printJson(value: unknown): void {
  process.stdout.write(JSON.stringify(value, replacer, 2) + "\n");
}

/** Writes text to stdout, with exactly one line feed at its end. */
export function printText(text: string): void {
  process.stdout.write(text.replace(/\n*$/, "\n"));
}

/** Writes one line for the person at the terminal to stderr. */
export function printNote(text: string): void {
  process.stderr.write(text.replace(/\n*$/, "\n"));
}

/**
 * Aligned columns for a terminal.
 * @param rows One array a line; the first may be a heading.
 */
export function formatColumns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((text, column) => (widths[column] = Math.max(widths[column] ?? 0, text.length)));
  return rows
    .map((row) =>
      row
        .map((text, column) => text.padEnd(widths[column]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** A reader that closes the pipe early (`damlab … | head -1`) ends the command quietly. */
export function endQuietlyOnClosedPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(0);
      throw error;
    });
  }
}

function replacer(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof BigInt64Array || value instanceof BigUint64Array) return Array.from(value, String);
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return Array.from(value as Float32Array);
  return value;
}
