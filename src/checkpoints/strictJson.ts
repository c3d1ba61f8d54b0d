/**
 * @file A JSON reader for files that come from strangers. Unlike `JSON.parse()` it tells duplicate keys, bounds the depth, keeps integers
 * apart from floats, refuses lone surrogates, and never builds objects with keys from the file.
 */

/** What a JSON text can hold; objects are maps, so that no key is special. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | ReadonlyMap<string, JsonValue>;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const SIMPLE_ESCAPES: Readonly<Record<string, string>> = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/**
 * Parses a whole JSON text strictly.
 * @param deepest Levels of nesting that are allowed.
 * @throws {SyntaxError} with the position, if the text is not JSON, an object has a key twice, or it nests deeper.
 */
export function parseStrictJson(text: string, deepest = 32): JsonValue {
  const reader = new JsonReader(text);
  const value = reader.value(deepest);
  reader.end();
  return value;
}

/** Reads JSON piece by piece, so that the caller can refuse what it did not expect before anything is built. */
export class JsonReader {
  position = 0;

  constructor(readonly text: string) {}

  /** Whether the character comes next after white space; it is not taken. */
  sees(character: string): boolean {
    return this.skipSpace() === character.charCodeAt(0);
  }

  /** Takes the character if it comes next. */
  take(character: string): boolean {
    if (this.skipSpace() !== character.charCodeAt(0)) return false;
    this.position++;
    return true;
  }

  expect(character: string): void {
    if (!this.take(character)) this.fail(`expected "${character}"`);
  }

  end(): void {
    this.skipSpace();
    if (this.position < this.text.length) this.fail("expected the end");
  }

  /** Reads an object; `member` is called at each value and must read it. Duplicate keys are told by the caller or by `value()`. */
  object(member: (key: string) => void): void {
    this.expect("{");
    if (this.take("}")) return;
    do {
      const key = this.string();
      this.expect(":");
      member(key);
    } while (this.take(","));
    this.expect("}");
  }

  /** Reads an array; `element` is called at each element and must read it. */
  array(element: (index: number) => void): void {
    this.expect("[");
    if (this.take("]")) return;
    let index = 0;
    do element(index++);
    while (this.take(","));
    this.expect("]");
  }

  string(): string {
    if (this.skipSpace() !== QUOTE) this.fail("expected a string");
    const { text } = this;
    const start = this.position + 1;
    let position = start;
    let escaped = false;
    for (; ; position++) {
      const code = text.charCodeAt(position);
      if (code === QUOTE) break;
      if (!(code >= 0x20)) {
        this.position = Math.min(position, text.length);
        this.fail(position >= text.length ? "expected the end of a string" : "expected no control character in a string");
      }
      if (code === BACKSLASH) {
        escaped = true;
        position++;
      }
    }
    this.position = position + 1;
    const raw = text.slice(start, position);
    return escaped ? this.unescape(raw, start) : raw;
  }

  /** A non-negative integer written as digits only, at most 2^53 − 1. */
  integer(): number {
    this.skipSpace();
    const { text } = this;
    const start = this.position;
    let value = 0;
    let position = start;
    for (; ; position++) {
      const digit = text.charCodeAt(position) - 0x30;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
      if (value > Number.MAX_SAFE_INTEGER) this.fail("expected an integer of at most 2^53 - 1");
    }
    const next = text.charAt(position);
    const leadingZero = position - start > 1 && text.charAt(start) === "0";
    if (position === start || leadingZero || next === "." || next === "e" || next === "E") this.fail("expected a non-negative integer");
    this.position = position;
    return value;
  }

  /** Any value, nested at most `deepest` levels. */
  value(deepest: number): JsonValue {
    this.skipSpace();
    const next = this.text.charAt(this.position);
    if (next === '"') return this.string();
    if (next === "{" || next === "[") {
      if (deepest === 0) this.fail("expected less nesting");
      return next === "{" ? this.map(deepest - 1) : this.list(deepest - 1);
    }
    for (const [word, value] of [
      ["true", true],
      ["false", false],
      ["null", null],
    ] as const) {
      if (this.text.startsWith(word, this.position)) {
        this.position += word.length;
        return value;
      }
    }
    NUMBER.lastIndex = this.position;
    const match = NUMBER.exec(this.text);
    if (match === null) this.fail("expected a value");
    this.position += match[0].length;
    return Number(match[0]);
  }

  /** @throws {SyntaxError} always: what was expected, what is there, and where. */
  fail(expected: string): never {
    const found = this.text.slice(this.position, this.position + 16);
    throw new SyntaxError(`${expected}, got ${found === "" ? "the end" : JSON.stringify(found)} at character ${this.position}`);
  }

  /** Code of the next character after white space; NaN at the end. */
  private skipSpace(): number {
    for (; ; this.position++) {
      const code = this.text.charCodeAt(this.position);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return code;
    }
  }

  private map(deepest: number): ReadonlyMap<string, JsonValue> {
    const members = new Map<string, JsonValue>();
    this.object((key) => {
      if (members.has(key)) this.fail(`expected each key once, ${JSON.stringify(key.slice(0, 120))} comes twice`);
      members.set(key, this.value(deepest));
    });
    return members;
  }

  private list(deepest: number): readonly JsonValue[] {
    const elements: JsonValue[] = [];
    this.array(() => elements.push(this.value(deepest)));
    return elements;
  }

  private unescape(raw: string, start: number): string {
    const parts: string[] = [];
    let from = 0;
    for (let at = raw.indexOf("\\"); at >= 0; at = raw.indexOf("\\", from)) {
      parts.push(raw.slice(from, at));
      const letter = raw.charAt(at + 1);
      const digits = raw.slice(at + 2, at + 6);
      const simple = Object.hasOwn(SIMPLE_ESCAPES, letter) ? SIMPLE_ESCAPES[letter] : undefined;
      if (simple !== undefined) parts.push(simple);
      else if (letter === "u" && /^[0-9a-fA-F]{4}$/.test(digits)) parts.push(String.fromCharCode(parseInt(digits, 16)));
      else {
        this.position = start + at;
        this.fail("expected an escape that JSON knows");
      }
      from = at + (simple === undefined ? 6 : 2);
    }
    parts.push(raw.slice(from));
    const value = parts.join("");
    if (LONE_SURROGATE.test(value)) {
      this.position = start;
      this.fail("expected Unicode text without lone surrogates");
    }
    return value;
  }
}
