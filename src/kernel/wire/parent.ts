/** How often a kernel looks for its parent, in milliseconds. */
const PERIOD = 1000;

/**
 * Tells when the process that started this one is gone: a client that was killed can't shut its kernel down, and a cell in a loop would run on
 * for ever. Watches only where the starter says that it is the parent, as Jupyter does by `JPY_PARENT_PID`; a kernel that was started through a
 * shell in the background has no parent to wait for. On Windows a parent's end can't be seen so, and nothing is watched.
 * @param whenGone Called once.
 */
export function watchParent(whenGone: () => void, environment: NodeJS.ProcessEnv = process.env): void {
  const parent = process.ppid;
  if (process.platform === "win32" || environment["JPY_PARENT_PID"] !== String(parent)) return;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    whenGone();
  }, PERIOD);
  timer.unref();
}
