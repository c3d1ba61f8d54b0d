/** @file Pages of docs/ whose middle a program writes; what stands around the marks stays. */
import { readFile } from "node:fs/promises";
import * as path from "node:path";
import { writeFileAtomic } from "../src/checkpoints";

/** Where the pages are. */
export const DOCS = path.join(__dirname, "..", "docs");

/**
 * A page of docs/ with a part between its marks `<!-- NAME: begin -->` and `<!-- NAME: end -->`.
 * @throws {SyntaxError} if the page lacks the marks.
 */
export async function pageWith(page: string, name: string, part: string): Promise<string> {
  const text = await readFile(path.join(DOCS, page), "utf8");
  const [beginMark, endMark] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const [begin, end] = [text.indexOf(beginMark), text.indexOf(endMark)];
  if (begin < 0 || end < begin)
    throw new SyntaxError(`Cannot write the ${name} into "docs/${page}": expected the marks ${beginMark} and ${endMark}, got none`);
  return `${text.slice(0, begin + beginMark.length)}\n\n${part.trim()}\n\n${text.slice(end)}`;
}

/** Writes a part between the marks of a page of docs/. */
export async function writeIntoPage(page: string, name: string, part: string): Promise<void> {
  await writeFileAtomic(path.join(DOCS, page), await pageWith(page, name, part));
}
