/** Cuts a stream of bytes into lines and parses each as JSON; a line that is none (anybody can write to a pipe) is left out. */
export class JsonLines<T> {
  private rest: Buffer[] = [];

  constructor(private readonly onValue: (value: T) => void) {}

  push(chunk: Buffer): void {
    let from = 0;
    for (;;) {
      const end = chunk.indexOf(10, from);
      if (end < 0) break;
      const tail = chunk.subarray(from, end);
      const line = this.rest.length === 0 ? tail : Buffer.concat([...this.rest, tail]);
      this.rest = [];
      from = end + 1;
      const value = parse(line);
      if (value !== undefined && value !== null) this.onValue(value as T);
    }
    if (from < chunk.length) this.rest.push(chunk.subarray(from));
  }
}

function parse(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString("utf8"));
  } catch {
    return undefined;
  }
}
