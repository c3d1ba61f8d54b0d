import { readFile } from "node:fs/promises";
import * as path from "node:path";
import { writeFileAtomic } from "../../src/checkpoints";

const PAGE = path.join(__dirname, "..", "..", "docs", "purification.md");
const [BEGIN, END] = ["<!-- tables: begin -->", "<!-- tables: end -->"];

/** Puts the tables into the page. */
export async function writeDocs(tables: string): Promise<void> {
  const page = await readFile(PAGE, "utf8");
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`Cannot write tables into "${PAGE}": expected the marks ${BEGIN} and ${END}, got none`);
  await writeFileAtomic(PAGE, `${page.slice(0, begin + BEGIN.length)}\n\n${tables}\n${page.slice(end)}`);
}
