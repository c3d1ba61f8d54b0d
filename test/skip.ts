import type { Context } from "mocha";

/**
 * Skips the running test, or from a hook all tests of its suite, so that the report shows why.
 * @param context The test's `this`.
 */
export function skipBecause(context: Context, reason: string): never {
  const runnable = context.runnable();
  const tests = runnable.type === "hook" ? (runnable.parent?.tests ?? []) : [runnable];
  for (const test of tests) test.title += ` (skipped: ${reason})`;
  context.skip();
}
