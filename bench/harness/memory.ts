/** Peak resident memory and processor time of a process tree, from /proc (Linux). */
import { readdirSync, readFileSync } from "node:fs";

const INTERVAL_MS = 50;

/**
 * Watches until `stop`, which gives the peak in bytes: for a process alone the system's own record, for a tree the largest sum that was seen.
 * Null where there is no /proc.
 */
export function watchMemory(pid: number | undefined): { stop(): number | null } {
  let tree = 0;
  let own: number | null = null;
  const look = (): void => {
    if (pid === undefined) return;
    own = readStatus(pid, "VmHWM") ?? own;
    if (descendants(pid).length > 0) tree = Math.max(tree, readHeldBytes(pid) ?? 0);
  };
  const timer = setInterval(look, INTERVAL_MS);
  timer.unref();
  look();
  return {
    stop() {
      look();
      clearInterval(timer);
      return own === null ? null : Math.max(own, tree);
    },
  };
}

/** Resident memory of a process and all below it at this moment, in bytes; null where there is no /proc. */
export function readHeldBytes(pid: number | undefined): number | null {
  if (pid === undefined || readStatus(pid, "VmRSS") === null) return null;
  return [pid, ...descendants(pid)].reduce((sum, each) => sum + (readStatus(each, "VmRSS") ?? 0), 0);
}

/** Processor seconds that a process and all below it have used so far, user's and system's; null where there is no /proc. */
export function readProcessorSeconds(pid: number | undefined): number | null {
  if (pid === undefined) return null;
  const ticks = [pid, ...descendants(pid)].map((each) => {
    try {
      const fields = readFileSync(`/proc/${each}/stat`, "utf8").split(") ").at(-1)!.split(" ");
      // utime, stime, and those of children that have ended
      return [11, 12, 13, 14].reduce((sum, field) => sum + Number(fields[field]), 0);
    } catch {
      return null;
    }
  });
  return ticks[0] === null ? null : ticks.reduce<number>((sum, value) => sum + (value ?? 0), 0) / TICKS_PER_SECOND;
}

const TICKS_PER_SECOND = 100;

function readStatus(pid: number, field: string): number | null {
  try {
    const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kilobytes === undefined ? null : 1024 * Number(kilobytes);
  } catch {
    return null;
  }
}

function descendants(pid: number): number[] {
  try {
    const own = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean).map(Number),
    );
    return own.flatMap((child) => [child, ...descendants(child)]);
  } catch {
    return [];
  }
}
