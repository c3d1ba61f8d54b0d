import type { Context, Runnable, Suite, Test } from "mocha";

/**
 * Skips the running test, or from a hook all tests of its suite, so that the report shows why.
 * @param context The test's `this`.
 */
export function skipBecause(context: Context, reason: string): never {
  const runnable: Runnable & { type?: string } = context.runnable();
  const tests = runnable.type === "hook" ? testsBelow(runnable.parent) : [runnable];
  for (const test of tests) test.title += ` (skipped: ${reason})`;
  context.skip();
}

function testsBelow(suite: Suite | undefined): Test[] {
  return suite === undefined ? [] : [...suite.tests, ...suite.suites.flatMap(testsBelow)];
}
