/** Puts the methods' options between the marks of docs/methods.md: node --require tsx/cjs test/defenses/writeMethodsPage.ts */
import { readFile } from "node:fs/promises";
import * as path from "node:path";
import * as prettier from "prettier";
import { writeFileAtomic } from "../../src/checkpoints";
import { describeMethods } from "../../src/defenses";

export const METHODS_PAGE = path.join(__dirname, "..", "..", "docs", "methods.md");
const [BEGIN, END] = ["<!-- options: begin -->", "<!-- options: end -->"];

/** The page as it should be. */
export async function methodsPage(): Promise<string> {
  const text = await readFile(METHODS_PAGE, "utf8");
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  const page = `${text.slice(0, begin + BEGIN.length)}\n\n${describeMethods()}\n\n${text.slice(end)}`;
  return prettier.format(page, { ...(await prettier.resolveConfig(METHODS_PAGE)), parser: "markdown" });
}

if (require.main === module) void methodsPage().then((page) => writeFileAtomic(METHODS_PAGE, page));
