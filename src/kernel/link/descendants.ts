import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

interface Listed {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
}

/**
 * Kills what a process has started, directly or not, as long as it is of the same process group: what was detached on purpose lives on. Of
 * the process itself nothing is changed. On Windows nothing is done.
 */
export function endDescendants(pid: number): void {
  const all = listProcesses();
  const own = all.find((listed) => listed.pid === pid);
  const found = [pid];
  for (const above of found)
    for (const { pid: child, parent, group } of all)
      if (parent === above && group === own?.group && !found.includes(child)) found.push(child);
  for (const descendant of found.slice(1)) {
    try {
      process.kill(descendant, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}

function listProcesses(): Listed[] {
  if (process.platform === "win32") return [];
  if (process.platform !== "linux") return parseList(spawnSync("ps", ["-A", "-o", "pid=,ppid=,pgid="], { encoding: "utf8" }).stdout ?? "");
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      // After the name, which is in brackets and may hold anything: state, parent, group.
      const [, parent, group] = readFileSync(`/proc/${name}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ");
      return [{ pid: Number(name), parent: Number(parent), group: Number(group) }];
    } catch {
      return [];
    }
  });
}

function parseList(text: string): Listed[] {
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const [pid, parent, group] = line.trim().split(/\s+/).map(Number);
      return { pid: pid!, parent: parent!, group: group! };
    });
}
