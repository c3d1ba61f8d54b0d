/**
 * @file Files and folders that appear whole or not at all.
 *
 * Everything is first written under a temporary name beside its destination (so that the rename stays on one file system), flushed to the
 * disk, then renamed, and the parent folder is flushed too. A process that is killed in between leaves a `.NAME.….tmp` sibling that readers
 * never look at, and that the next writer of the same name removes; the destination is the old one or the new one.
 */
import { createHash, randomUUID } from "node:crypto";
import { lstat, mkdir, open, readdir, realpath, rename, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { hostname } from "node:os";
import * as path from "node:path";
import { makeFolder } from "./makeFolder";

/**
 * Writes a file so that readers see the old content or the new one, never a part. Missing parent folders are created.
 * @param bytes Bytes, or text that is written as UTF-8.
 * @throws the file system's error; the temporary file is removed first and an existing file stays as it was.
 */
export async function writeFileAtomic(file: string, bytes: Uint8Array | string): Promise<void> {
  await writeStreamAtomic(file, (handle) => writeAll(handle, typeof bytes === "string" ? Buffer.from(bytes, "utf8") : bytes));
}

/**
 * Like `writeFileAtomic()`, for content that is produced piece by piece.
 * @param write Writes the content to the handle from position 0, and may read it; the handle is flushed and closed afterwards.
 */
export async function writeStreamAtomic(file: string, write: (handle: FileHandle) => Promise<void>): Promise<void> {
  const destination = await resolveDestination(file, "file");
  const temporary = temporarySibling(destination);
  makeFolder(path.dirname(destination));
  await removeAbandoned(destination);
  try {
    const handle = await open(temporary, "wx+", 0o666);
    try {
      await write(handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, destination);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await flushFolder(path.dirname(destination));
}

/**
 * Writes a folder so that it appears whole or not at all. An existing folder is replaced as a whole: it is renamed aside, the new one takes
 * its place, then the old one is removed. Between the two renames the destination is absent for an instant, but never mixed; if the second
 * rename fails, the old folder is put back.
 * @param write Fills the (empty) temporary folder whose path it gets.
 * @throws what `write` throws, or the file system's error; the temporary folder is removed first.
 */
export async function writeFolderAtomic(folder: string, write: (temporaryFolder: string) => Promise<void>): Promise<void> {
  const destination = await resolveDestination(folder, "folder");
  const parent = path.dirname(destination);
  const temporary = temporarySibling(destination);
  makeFolder(parent);
  await recoverFolder(destination);
  await removeAbandoned(destination);
  try {
    await mkdir(temporary);
    await write(temporary);
    await flushTree(temporary);
    await replaceFolder(temporary, destination);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
  await flushFolder(parent);
}

/** Writes all bytes at the position (default: where the handle stands), however many calls that takes. */
export async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number | null = null): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    // One call is limited to 2 GiB by the system.
    const length = Math.min(bytes.length - done, 2 ** 30);
    const { bytesWritten } = await handle.write(bytes, done, length, position === null ? null : position + done);
    done += bytesWritten;
  }
}

/** Follows links, so that a link to a folder on another disk stays one; a device or the wrong kind of entry is never renamed over. */
async function resolveDestination(place: string, kind: "file" | "folder"): Promise<string> {
  const destination = await realpath(place).catch(() => path.resolve(place));
  const entry = await lstat(destination).catch(() => undefined);
  if (entry !== undefined && !(kind === "file" ? entry.isFile() : entry.isDirectory())) {
    throw new TypeError(`Cannot write ${kind} ${JSON.stringify(place)}: expected a ${kind} or nothing at that place, got something else`);
  }
  return destination;
}

/** Tells this machine's processes from those of others that write in the same folder over a network. */
const MACHINE = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);

function temporaryPrefix(destination: string): string {
  // Cut, because file systems allow 255 bytes a name.
  return `.${path.basename(destination).slice(0, 48)}.${MACHINE}-`;
}

function temporarySibling(destination: string): string {
  return path.join(path.dirname(destination), `${temporaryPrefix(destination)}${process.pid}-${randomUUID()}.tmp`);
}

/** Removes what killed processes of this machine have left beside the destination under its name. */
async function removeAbandoned(destination: string): Promise<void> {
  const parent = path.dirname(destination);
  const prefix = temporaryPrefix(destination);
  for (const name of await readdir(parent)) {
    if (!name.startsWith(prefix)) continue;
    const writer = /^(\d+)-[0-9a-f-]{36}\.tmp$/.exec(name.slice(prefix.length));
    if (writer && !isRunning(Number(writer[1]))) await rm(path.join(parent, name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/** The one name under which the old folder waits while the new one takes its place, so that the next writer finds it after a crash. */
function asideName(destination: string): string {
  return path.join(path.dirname(destination), `.${path.basename(destination)}.replaced`);
}

async function replaceFolder(temporary: string, destination: string): Promise<void> {
  if (!(await exists(destination))) return rename(temporary, destination);
  const aside = asideName(destination);
  await rm(aside, { recursive: true, force: true });
  await rename(destination, aside);
  try {
    await rename(temporary, destination);
  } catch (error) {
    await rename(aside, destination);
    throw error;
  }
  await rm(aside, { recursive: true, force: true });
}

/** Puts the old folder back where a crash came between the two renames. */
async function recoverFolder(destination: string): Promise<void> {
  const aside = asideName(destination);
  if (!(await exists(destination)) && (await exists(aside))) await rename(aside, destination);
}

async function exists(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    () => false,
  );
}

async function flushTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const child = path.join(folder, entry.name);
    if (entry.isDirectory()) await flushTree(child);
    else if (entry.isFile()) await flush(child, "r+");
  }
  await flushFolder(folder);
}

async function flushFolder(folder: string): Promise<void> {
  // Windows can't open a folder; its renames are journalled by the file system.
  if (process.platform !== "win32") await flush(folder, "r");
}

async function flush(file: string, flags: string): Promise<void> {
  const handle = await open(file, flags);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
