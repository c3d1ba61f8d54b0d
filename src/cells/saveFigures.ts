import * as path from "node:path";
import { z } from "zod";
import { makeFolder } from "../checkpoints/makeFolder";
import { exportFigure, type Figure } from "../figures";
import { defineCell, type Cell } from "./cell";

/** Parameters of `saveFigures`. */
export interface SaveFiguresParameters {
  /** Folder to write to; made where it is missing. Default `results/figures`. */
  folder?: string | undefined;
  /** Widths; default one and two columns of a paper. */
  widths?: string[] | undefined;
  formats?: ("svg" | "pdf" | "png" | "html")[] | undefined;
}

/** Files that were written. */
export interface SavedFigures {
  readonly files: readonly string[];
}

/** Writes figures for papers, by file name: vector graphics of one and of two columns' width. */
export const saveFigures: Cell<[figures: Readonly<Record<string, Figure>>], SaveFiguresParameters, SavedFigures> = defineCell({
  name: "saveFigures",
  version: 1,
  summary: "Writes figures as vector graphics of one and two columns' width",
  inputs: ["figures"],
  cache: false,
  engine: false,
  // A figure is a value with functions; what it shows stands for it.
  identify: ([figures]: [figures: Readonly<Record<string, Figure>>]) =>
    Object.fromEntries(Object.entries(figures).map(([name, { alt }]) => [name, alt])),
  parameters: z.object({
    folder: z.string().default("results/figures").describe("folder to write to"),
    widths: z.array(z.string()).default(["3.3in", "7in"]).describe("widths, such as one and two columns of a paper"),
    formats: z
      .array(z.enum(["svg", "pdf", "png", "html"]))
      .default(["svg", "pdf"])
      .describe("file formats"),
  }),
  async run([figures], { folder, widths, formats }, { breathe }) {
    makeFolder(folder);
    const files: string[] = [];
    for (const [name, figure] of Object.entries(figures)) {
      for (const width of widths) {
        for (const format of formats) {
          await breathe();
          const file = path.join(folder, `${name}-${width}.${format}`);
          await exportFigure(figure, file, { width, words: false });
          files.push(file);
        }
      }
    }
    return { files };
  },
  text: ({ files }) => `Wrote ${files.length} files: ${files.map((file) => path.basename(file)).join(", ")}`,
});
