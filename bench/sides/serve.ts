/** Our side of the contestants' protocol. */
import { createInterface } from "node:readline";

/**
 * Answers each line `round` with the seconds that the work took.
 * @param facts Versions, counts.
 * @param work What a round does; facts that it returns are reported with the time.
 */
export async function serveRounds(
  facts: Readonly<Record<string, string | number>>,
  work: () => unknown,
  close: () => unknown = () => undefined,
): Promise<void> {
  process.stdout.write(`${JSON.stringify({ ready: facts })}\n`);
  for await (const line of createInterface({ input: process.stdin })) {
    if (line !== "round") continue;
    const began = performance.now();
    const found = await work();
    const seconds = (performance.now() - began) / 1000;
    process.stdout.write(`${JSON.stringify({ seconds, ...(typeof found === "object" ? found : {}) })}\n`);
  }
  await close();
}

/** Reports that this contestant cannot run here. */
export function reportMissing(reason: string): void {
  process.stdout.write(`${JSON.stringify({ missing: reason })}\n`);
}
