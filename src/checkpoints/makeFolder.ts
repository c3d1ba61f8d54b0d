import { mkdirSync, statSync } from "node:fs";
import * as path from "node:path";

/**
 * Makes a folder and those above it that are missing. (Node's own recursive `mkdir` never returns where the system takes no new names, as below
 * /proc.)
 * @throws the file system's error, such as EACCES, or ENOTDIR if a file is in the way.
 */
export function makeFolder(folder: string): void {
  const whole = path.resolve(folder);
  try {
    mkdirSync(whole);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const parent = path.dirname(whole);
    if (code === "ENOENT" && parent !== whole && statSync(parent, { throwIfNoEntry: false }) === undefined) {
      makeFolder(parent);
      mkdirOrThere(whole);
    } else if (code !== "EEXIST" || !statSync(whole).isDirectory()) throw error;
  }
}

/** Another process may have made it meanwhile. */
function mkdirOrThere(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
