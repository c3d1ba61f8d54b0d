import { readFile } from "node:fs/promises";
import * as path from "node:path";
import { writeFileAtomic } from "../../src/checkpoints";
import { exportFigure, type Figure } from "../../src/figures";

const DOCS = path.join(__dirname, "..", "..", "docs");
const [BEGIN, END] = ["<!-- table: begin -->", "<!-- table: end -->"];

/** Puts the tables between the marks of docs/defence.md, and the picture beside it. */
export async function writeDocs(tables: string, figure: Figure): Promise<void> {
  const file = path.join(DOCS, "defence.md");
  const text = await readFile(file, "utf8");
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new SyntaxError(`Cannot write the table into "${file}": expected the marks ${BEGIN} and ${END}`);
  await writeFileAtomic(file, `${text.slice(0, begin + BEGIN.length)}\n\n${tables.trim()}\n\n${text.slice(end)}`);
  await exportFigure(figure, path.join(DOCS, "defence.png"));
}
