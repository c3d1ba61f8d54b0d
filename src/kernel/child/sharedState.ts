/** @file What the main thread of the child and its guard thread share: an Int32Array. */

/** Places in the shared memory. Cells are named by their numbers, which rise. */
export const SHARED = {
  /**
   * The cell whose interrupt waits for the main thread, or 0. Each loop of a cell looks at it: it must stay the first. A negative number ends
   * whichever loop sees it while no later cell runs, also one in a late callback of an earlier cell.
   */
  flag: 0,
  /** The cell that runs, or 0. */
  running: 1,
  /** 1 while the guard may send SIGINT to the process. */
  signalling: 2,
  /** Number of interrupts that the guard has told of. */
  count: 3,
  /** The last cell that has ended. */
  ended: 4,
  /** Always 0: to wait for nothing. */
  rest: 5,
} as const;
