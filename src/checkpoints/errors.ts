/**
 * A checkpoint that can't be trusted: malformed bytes, or an index that does not fit its shards. The message is one line and names the file
 * and, where one is to blame, the tensor.
 */
export class SafetensorsError extends SyntaxError {
  /** Path of the offending file, as the caller gave it. */
  readonly file: string;
  /** Name of the offending tensor; undefined where the whole file is to blame. */
  readonly tensor: string | undefined;

  /** @param problem What was expected and what was found, such as `expected 8 bytes of header length, got 3`. */
  constructor(file: string, problem: string, tensor?: string) {
    const place = tensor === undefined ? quote(file, Infinity) : `tensor ${quote(tensor)} of ${quote(file, Infinity)}`;
    super(oneLine(`Cannot read ${place}: ${problem}`));
    this.name = "SafetensorsError";
    this.file = file;
    this.tensor = tensor;
  }
}

// Control characters, line separators, and the marks that turn the writing direction or take no room.

const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Text from a file made safe for one line of a terminal: control characters become `\uXXXX`. */
export function oneLine(text: string): string {
  return text.replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A name from a file in quotes, safe for one line of a terminal, cut after `longest` characters. */
export function quote(name: string, longest = 120): string {
  return oneLine(JSON.stringify(name.length > longest ? `${name.slice(0, longest)}…` : name));
}
