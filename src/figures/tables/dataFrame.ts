import { createRequire } from "node:module";
import { join } from "node:path";
import { columnKeys, tableToRecords } from "./markup";
import type { Table } from "./table";

/**
 * A table as a danfojs DataFrame, with the columns of `tableToRecords`. danfojs-node is an optional peer: it is looked for beside this
 * package and in the working folder.
 * @throws {TypeError} if danfojs-node is not installed.
 */
export function tableToDataFrame<Frame = unknown>(table: Table): Frame {
  const { DataFrame } = loadDanfo() as { DataFrame: new (rows: unknown[][], options: { columns: string[] }) => Frame };
  const columns = columnKeys(table);
  const rows = tableToRecords(table).map((record) => columns.map((key) => record[key] ?? null));
  return new DataFrame(rows, { columns });
}

function loadDanfo(): unknown {
  for (const from of [__filename, join(process.cwd(), "package.json")]) {
    try {
      return createRequire(from)("danfojs-node") as unknown;
    } catch (error) {
      if ((error as { code?: string }).code !== "MODULE_NOT_FOUND") throw error;
    }
  }
  throw new TypeError(
    'Cannot make a DataFrame: expected the package "danfojs-node" to be installed, got none; run "npm install danfojs-node"',
  );
}
