import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** The root of the repository. */
export const ROOT = resolve(__dirname, "..", "..");

/** The manifest, as far as these tests look at it. */
export interface Manifest {
  readonly version: string;
  readonly exports: Readonly<Record<string, string | { readonly import: string; readonly require: string }>>;
  readonly typesVersions: { readonly "*": Readonly<Record<string, readonly string[]>> };
}

/** `package.json` of the repository. */
export const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Manifest;

/** The rooms that are there and that a program may import: all but the command. */
export const rooms = readdirSync(join(ROOT, "src"))
  .filter((room) => room !== "cli" && existsSync(join(ROOT, "src", room, "index.ts")))
  .sort();

/** `damlab` and `damlab/ROOM` for each room that is there. */
export const specifiers = ["damlab", ...rooms.map((room) => `damlab/${room}`)];
