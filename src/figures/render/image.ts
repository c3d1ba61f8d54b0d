import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Figure, Frame } from "../figure";
import { fontFolder } from "../textWidth";
import { drawSvg } from "./plotlyWindow";

/** How an image is drawn; everything left out comes from the figure. */
export interface RenderOptions {
  /** Pixels, 96 an inch. */
  readonly width?: number;
  readonly height?: number;
  /** Pixels of all text. */
  readonly fontSize?: number;
  /** Title and caption inside the picture; default true. */
  readonly words?: boolean;
}

/** Options of `renderSvg`. */
export interface SvgOptions extends RenderOptions {
  /** Carry the font in the file (50 KB), so that it looks the same everywhere; default true. */
  readonly embedFont?: boolean;
}

/** Options of `renderPng`. */
export interface PngOptions extends RenderOptions {
  /** Device pixels a pixel, 0.1 to 8; default 2. */
  readonly scale?: number;
}

const drawable = new Set([
  "bar",
  "box",
  "contour",
  "heatmap",
  "histogram",
  "histogram2d",
  "histogram2dcontour",
  "image",
  "pie",
  "scatter",
  "scatterternary",
  "violin",
]);

/** An SVG picture with its size in pixels. */
export interface DrawnSvg {
  readonly svg: string;
  readonly width: number;
  readonly height: number;
}

/**
 * A figure as SVG text, drawn without a browser: same figure, same text on every machine.
 * @throws {TypeError} if a trace needs WebGL or a map server.
 */
export async function renderSvg(figure: Figure, options: SvgOptions = {}): Promise<string> {
  const { svg } = await drawFigure(figure, options);
  return options.embedFont === false ? svg : svg.replace(/<\/desc>/, `</desc><style>${fontFaces()}</style>`);
}

/** A figure as PNG bytes, drawn without a browser and with the shipped font only. */
export async function renderPng(figure: Figure, options: PngOptions = {}): Promise<Buffer> {
  const { scale = 2 } = options;
  if (!(scale >= 0.1 && scale <= 8))
    throw new RangeError(`Cannot draw figure "${figure.title}": expected a scale of 0.1 to 8, got ${scale}`);
  const { svg } = await drawFigure(figure, options);
  const { Resvg } = await import("@resvg/resvg-js");
  const picture = new Resvg(svg, {
    fitTo: { mode: "zoom", value: scale },
    background: "#ffffff",
    font: {
      loadSystemFonts: false,
      fontFiles: ["Regular", "SemiBold"].map((weight) => join(fontFolder, `Inter-${weight}.ttf`)),
      defaultFontFamily: "Inter",
      sansSerifFamily: "Inter",
    },
  });
  return picture.render().asPng();
}

/** Draws a figure with title and description for readers that can't see it; the font is named, not carried. */
export async function drawFigure(figure: Figure, options: RenderOptions): Promise<DrawnSvg> {
  const frame: Record<string, unknown> = { width: options.width ?? figure.width };
  // A figure's natural height belongs to its natural width.
  const height = options.height ?? (options.width === undefined ? figure.height : undefined);
  for (const [key, value] of Object.entries({ height, fontSize: options.fontSize, words: options.words })) {
    if (value !== undefined) frame[key] = value;
  }
  const specification = figure.draw(frame as unknown as Frame);
  for (const { type } of specification.data) {
    if (!drawable.has(type)) {
      throw new TypeError(`Cannot draw figure "${figure.title}": expected a trace type of ${[...drawable].join(", ")}, got "${type}"`);
    }
  }
  const size = { width: specification.layout["width"] as number, height: specification.layout["height"] as number };
  const hash = createHash("sha256").update(JSON.stringify([specification.data, specification.layout, figure.title, figure.alt]));
  const key = hash.digest("hex");
  const known = recent.get(key);
  if (known !== undefined) return known;
  const seed = Number.parseInt(key.slice(0, 8), 16);
  const drawn = { svg: tidySvg(await drawSvg(specification, size, seed), figure, seed.toString(16)), ...size };
  recent.set(key, drawn);
  for (const old of recent.keys()) if (recent.size > 16) recent.delete(old);
  return drawn;
}

/** The last few drawings: one figure is often written in several formats. */
const recent = new Map<string, DrawnSvg>();

/** CSS that carries the shipped font. */
export function fontFaces(): string {
  return (["Regular", "SemiBold"] as const)
    .map((weight) => {
      const font = readFileSync(join(fontFolder, `Inter-${weight}.subset.woff2`)).toString("base64");
      const range = weight === "Regular" ? "400" : "500 800";
      return `@font-face{font-family:Inter;font-style:normal;font-weight:${range};src:url(data:font/woff2;base64,${font}) format("woff2")}`;
    })
    .join("");
}

/** Without kerning, which text is measured without, too: the font's own sets "31.1" so tight that the point is lost. */
function tidySvg(svg: string, figure: Figure, id: string): string {
  const words = `<title id="title${id}">${escapeXml(figure.title || figure.alt)}</title><desc id="desc${id}">${escapeXml(figure.alt)}</desc>`;
  return solidBelowHatching(svg)
    .replace(/url\((?:'|&quot;)([^'&)]*)(?:'|&quot;)\)/g, "url($1)")
    .replace(/<[^>]+>/g, (tag) =>
      tag.includes("base64,") ? tag : tag.replace(/-?\d+\.\d{3,}(?!\d*e)/g, (number) => String(Number(Number(number).toFixed(2)))),
    )
    .replace(/^<svg /, `<svg role="img" aria-labelledby="title${id} desc${id}" `)
    .replace(/^(<svg[^>]*>)/, `$1${words}<style>text{font-kerning:none}</style>`);
}

/**
 * Hatching as strokes alone, over one solid shape below: tiles that are filled themselves show seams between them, in PDF above all.
 */
function solidBelowHatching(svg: string): string {
  const fills = new Map<string, string>();
  const bare = svg.replace(/<pattern id="([^"]+)"[^>]*><rect [^>]*?fill="([^"]+)"[^>]*\/>/g, (tile, id: string, fill: string) => {
    fills.set(id, fill);
    return tile.slice(0, tile.indexOf("<rect"));
  });
  return bare.replace(/<path [^>]*?fill: url\((?:'|&quot;|)#([^)'&]+)(?:'|&quot;|)\)[^>]*\/>/g, (shape, id: string) => {
    const fill = fills.get(id);
    return fill === undefined ? shape : shape.replace(/fill: url\([^)]*\)/, `fill: ${fill}`).replace(/ class="[^"]*"/, "") + shape;
  });
}

/** Text as XML content or attribute. */
export function escapeXml(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}
