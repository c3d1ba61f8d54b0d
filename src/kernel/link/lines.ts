/** Cuts a stream of bytes into lines and parses each as JSON. */
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
      if (line.length > 0) this.onValue(JSON.parse(line.toString("utf8")) as T);
    }
    if (from < chunk.length) this.rest.push(chunk.subarray(from));
  }
}
