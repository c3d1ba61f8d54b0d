/** @file What the main thread of the child and its guard thread share: an Int32Array. */

/** Places in the shared memory. */
export const SHARED = {
  /** Number of the cell whose interrupt waits for the main thread, `ANY_LOOP`, or 0. Each loop of a cell looks at it: it must stay the first. */
  flag: 0,
  /** Number of the cell that runs, or 0. */
  running: 1,
  /** Number of the cell that the guard's last SIGINT was meant for, or 0 once it has arrived. */
  signalled: 2,
  /** Number of interrupts that the guard has told of. */
  count: 3,
  /** Number of the last cell that has ended; their numbers rise. */
  ended: 4,
} as const;

/** The flag that ends whichever loop sees it, also one in a late callback of an earlier cell. */
export const ANY_LOOP = -1;
