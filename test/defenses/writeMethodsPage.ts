/** Puts the methods' options between the marks of docs/methods.md: node --require tsx/cjs test/defenses/writeMethodsPage.ts */
import * as path from "node:path";
import * as prettier from "prettier";
import { DOCS, pageWith } from "../../bench/docsPage";
import { writeFileAtomic } from "../../src/checkpoints";
import { describeMethods } from "../../src/defenses";

export const METHODS_PAGE = path.join(DOCS, "methods.md");

/** The page as it should be. */
export async function methodsPage(): Promise<string> {
  const page = await pageWith("methods.md", "options", describeMethods());
  return prettier.format(page, { ...(await prettier.resolveConfig(METHODS_PAGE)), parser: "markdown" });
}

if (require.main === module) void methodsPage().then((page) => writeFileAtomic(METHODS_PAGE, page));
