import { join } from "node:path";
import type { Figure } from "../figure";
import { fontFolder } from "../textWidth";
import { drawFigure, type RenderOptions } from "./image";

/** A figure as a PDF page of its own size, with real text in the shipped font (searchable, sharp in print); same bytes on every run. */
export async function renderPdf(figure: Figure, options: RenderOptions = {}): Promise<Buffer> {
  const drawn = await drawFigure(figure, options);
  const [{ default: PdfDocument }, { default: svgToPdf }] = await Promise.all([import("pdfkit"), import("svg-to-pdfkit")]);
  // 96 pixels are 72 points.
  const size: [number, number] = [drawn.width * 0.75, drawn.height * 0.75];
  const document = new PdfDocument({
    size,
    margin: 0,
    font: join(fontFolder, "Inter-Regular.ttf"),
    info: { Title: figure.title || figure.alt, Subject: figure.alt, Creator: "damlab", CreationDate: new Date(0) },
    lang: "en",
  } as unknown as PDFKit.PDFDocumentOptions);
  document.registerFont("Inter", join(fontFolder, "Inter-Regular.ttf"));
  document.registerFont("Inter-SemiBold", join(fontFolder, "Inter-SemiBold.ttf"));
  for (const name of ["Inter-SemiBold", "Inter"]) {
    document.font(name);
    const { _font: font } = document as unknown as { _font: PlacingFont };
    const encode = font.encode.bind(font);
    // As in the other formats; svg-to-pdfkit has no option for it.
    font.encode = (text) => encode(text, { kern: false });
  }
  const chunks: Buffer[] = [];
  const done = new Promise<Buffer>((resolve, reject) => {
    document.on("data", (chunk: Buffer) => chunks.push(chunk));
    document.on("end", () => resolve(Buffer.concat(chunks)));
    document.on("error", reject);
  });
  svgToPdf(document, drawn.svg, 0, 0, {
    width: size[0],
    height: size[1],
    assumePt: false,
    fontCallback: (_family: string, bold: boolean) => (bold ? "Inter-SemiBold" : "Inter"),
  });
  document.end();
  return done;
}

/** What pdfkit's own fonts do: glyphs and their places for a text. */
interface PlacingFont {
  encode(text: string, features?: Readonly<Record<string, boolean>>): unknown;
}
