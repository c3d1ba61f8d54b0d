/** Pictures of a task's images for people. */
import { join } from "node:path";
import { IMAGE_SIZE, type UnlabelledImageSet } from "./images";
import { PIXELS } from "./canvas";
import type { Split, Task } from "./suite";

/** Options of `drawContactSheet`. */
export interface ContactSheetOptions {
  /** Default: test. */
  readonly split?: Split;
  /** Images of each class; default 10. */
  readonly perClass?: number;
  /** Screen pixels a pixel; default 3. */
  readonly zoom?: number;
}

const FONTS = join(__dirname, "..", "..", "data", "fonts");
const MARGIN = 16;
const GAP = 4;
const HEADER = 68;
const LABELS = 260;
/** Images looked through for enough of each class. */
const SEARCHED = 400;

/**
 * A contact sheet: the title, then one row a class with its name, what it shows, and its first images, enlarged without smoothing.
 * The `adapt` split has no labels; its sheet shows the first images in the split's order.
 * @returns A PNG file.
 * @throws {RangeError} if `perClass` or `zoom` is not a positive integer.
 */
export async function drawContactSheet(task: Task, options: ContactSheetOptions = {}): Promise<Buffer> {
  const { split = "test", perClass = 10, zoom = 3 } = options;
  for (const [name, value] of Object.entries({ perClass, zoom })) {
    if (!(Number.isInteger(value) && value > 0)) {
      throw new RangeError(`Cannot draw contact sheet of "${task.id}": expected ${name} to be a positive integer, got ${value}`);
    }
  }
  const set = task.load(split, { limit: Math.max(SEARCHED, 2 * perClass * task.classes.length) });
  const labels = "labels" in set ? set.labels : undefined;
  const rows = task.classes.map((_, row) =>
    labels ? firstOfClass(labels, row, perClass) : Array.from({ length: perClass }, (_unused, place) => row * perClass + place),
  );
  const cell = zoom * IMAGE_SIZE + GAP;
  const left = labels ? MARGIN + LABELS : MARGIN;
  const width = Math.max(left + perClass * cell - GAP + MARGIN, 640);
  const height = HEADER + rows.length * cell - GAP + MARGIN;
  const pixels = await drawWords(task, split, { width, height, cell, labelled: labels !== undefined, perClass });
  rows.forEach((indices, row) =>
    indices.forEach((index, column) => {
      if (index < set.count) copyEnlarged(set, index, pixels, { x: left + column * cell, y: HEADER + row * cell, zoom, width });
    }),
  );
  const { default: sharp } = await import("sharp");
  return sharp(pixels, { raw: { width, height, channels: 4 } })
    .removeAlpha()
    .png()
    .toBuffer();
}

function firstOfClass(labels: Uint8Array, label: number, count: number): number[] {
  const found: number[] = [];
  for (let index = 0; index < labels.length && found.length < count; index++) if (labels[index] === label) found.push(index);
  return found;
}

interface Sheet {
  readonly width: number;
  readonly height: number;
  readonly cell: number;
  readonly labelled: boolean;
  readonly perClass: number;
}

/** All words of the sheet on white, as RGBA [height, width, 4]; with the shipped font, since a bare machine has none. */
async function drawWords(task: Task, split: Split, { width, height, cell, labelled, perClass }: Sheet): Promise<Buffer> {
  const source = task.procedural ? "drawn by seeded code, no photographs" : "real images";
  const order = labelled ? `${perClass} images a class` : "in the split's order; this split has no labels";
  const words = [
    text(MARGIN, 32, task.title, 'font-size="20" font-weight="600"'),
    text(MARGIN, 54, `${split} split, ${task.splits[split]} images, ${source}; shown: ${order}`, 'font-size="13" fill="#555555"'),
  ];
  if (labelled) {
    task.classes.forEach((name, row) => {
      const lines = wrap(task.descriptions[row]!, 40);
      const top = HEADER + row * cell + cell / 2 - 8 * lines.length;
      words.push(text(MARGIN, top, `${row}  ${name}`, 'font-size="15" font-weight="600"'));
      lines.forEach((line, place) => words.push(text(MARGIN, top + 18 + 16 * place, line, 'font-size="12" fill="#555555"')));
    });
  }
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${words.join("")}</svg>`;
  const { Resvg } = await import("@resvg/resvg-js");
  const font = {
    loadSystemFonts: false,
    fontFiles: [join(FONTS, "Inter-Regular.ttf"), join(FONTS, "Inter-SemiBold.ttf")],
    defaultFontFamily: "Inter",
  };
  return new Resvg(svg, { background: "#ffffff", font }).render().pixels;
}

function text(x: number, y: number, words: string, attributes: string): string {
  const escaped = words.replace(/&/g, "&amp;").replace(/</g, "&lt;");
  return `<text x="${x}" y="${y}" font-family="Inter" xml:space="preserve" ${attributes}>${escaped}</text>`;
}

function wrap(words: string, length: number): string[] {
  const lines = [""];
  for (const word of words.split(" ")) {
    const line = `${lines.at(-1)!} ${word}`.trim();
    if (line.length <= length) lines[lines.length - 1] = line;
    else lines.push(word);
  }
  return lines;
}

interface Place {
  readonly x: number;
  readonly y: number;
  readonly zoom: number;
  /** Pixels in a row of the sheet. */
  readonly width: number;
}

function copyEnlarged(set: UnlabelledImageSet, index: number, sheet: Uint8Array, { x, y, zoom, width }: Place): void {
  const first = index * 3 * PIXELS;
  for (let row = 0; row < zoom * IMAGE_SIZE; row++) {
    for (let column = 0; column < zoom * IMAGE_SIZE; column++) {
      const from = first + Math.floor(row / zoom) * IMAGE_SIZE + Math.floor(column / zoom);
      const to = 4 * ((y + row) * width + x + column);
      for (let channel = 0; channel < 3; channel++) sheet[to + channel] = set.images[from + channel * PIXELS]!;
    }
  }
}
