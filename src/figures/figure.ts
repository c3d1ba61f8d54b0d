import { displaySymbol, type Displayable, type MimeBundle } from "../display/mime";
import { figureToMime } from "./mime";

/** One plotly trace as plain JSON; `type` is one that is drawn as SVG (scatter, bar, heatmap, contour, box, violin …). */
export type Trace = { readonly type: string } & Readonly<Record<string, unknown>>;

/** A complete plotly specification: plain JSON, no functions, no DOM. */
export interface Specification {
  readonly data: readonly Trace[];
  readonly layout: Readonly<Record<string, unknown>>;
  readonly config: Readonly<Record<string, unknown>>;
}

/** What a figure is drawn for. */
export interface Frame {
  /** Pixels (96 an inch). */
  readonly width: number;
  /** Pixels; left out, the height follows from the content. */
  readonly height?: number;
  /** Pixels, of all text; default 13, and 10.5 below 400 pixels of width. */
  readonly fontSize?: number;
  /** Whether title and caption are part of the picture (default) or stand beside it as page text. */
  readonly words?: boolean;
}

/** What every chart function accepts. */
export interface FigureOptions {
  /** One line above the figure. */
  readonly title?: string;
  /** What the reader sees, in words, for those who can't see it; each chart has a default. */
  readonly alt?: string;
  /** Sentences below the figure, before the notes. */
  readonly caption?: string;
  /** n, seeds, engine, version: appended to the caption. */
  readonly notes?: FigureNotes;
  /** Natural width in pixels, default 720. */
  readonly width?: number;
  /** Natural height in pixels; default from the content. */
  readonly height?: number;
}

/** Facts that every caption states. */
export interface FigureNotes {
  /** Images behind one rate, such as 2000, or text such as "1,000–2,000". */
  readonly n?: number | string;
  /** Seeds, or their number. */
  readonly seeds?: number | readonly number[];
  /** What the intervals are; default "95 % intervals" where the chart draws any. */
  readonly intervals?: string;
  readonly engine?: string;
  readonly version?: string;
  /** Further notes, each without a final period. */
  readonly more?: readonly string[];
}

/** A figure as a value: draws itself for any frame, exports itself, shows itself in notebooks. */
export interface Figure extends Displayable {
  readonly title: string;
  readonly alt: string;
  /** Caption and notes as one text. */
  readonly caption: string;
  readonly width: number;
  readonly height: number | undefined;
  /** The specification at natural size, words included. */
  readonly specification: Specification;
  /** The specification for a frame. */
  draw(frame: Frame): Specification;
  /** All formats that notebooks may show: plotly, HTML (static, interactive once plotly is in the page), PNG, text. */
  toMime(): Promise<MimeBundle>;
}

/** What a chart function hands to `makeFigure`. */
export interface FigureSource {
  readonly options: FigureOptions;
  /** Default text for `options.alt`. */
  readonly alt: string;
  /** How intervals are drawn, if any are, so that the caption says what they are. */
  readonly intervals?: "whiskers" | "bands" | undefined;
  draw(frame: ResolvedFrame): Specification;
}

/** A frame with its defaults filled in, and the words to draw. */
export interface ResolvedFrame {
  readonly width: number;
  readonly height: number | undefined;
  readonly fontSize: number;
  readonly title: string;
  readonly caption: string;
}

/** Makes a figure value of a function from frame to specification. */
export function makeFigure(source: FigureSource): Figure {
  const { options } = source;
  const title = options.title ?? "";
  const caption = [options.caption, notesText(options.notes, source.intervals)].filter(Boolean).join(" ");
  const width = options.width ?? 720;
  const draw = (frame: Frame): Specification => {
    if (!(frame.width >= 120 && frame.width <= 10_000)) {
      throw new RangeError(`Cannot draw figure "${title}": expected a width of 120 to 10000 pixels, got ${frame.width}`);
    }
    const { words = true, fontSize = frame.width < 400 ? 10.5 : 13 } = frame;
    return source.draw({
      width: frame.width,
      height: frame.height,
      fontSize,
      title: words ? title : "",
      caption: words ? caption : "",
    });
  };
  const natural: Frame = options.height === undefined ? { width } : { width, height: options.height };
  const toMime = (): Promise<MimeBundle> => figureToMime(figure);
  const figure: Figure = {
    title,
    alt: options.alt ?? source.alt,
    caption,
    width,
    height: options.height,
    get specification() {
      return draw(natural);
    },
    draw,
    toMime,
    [displaySymbol]: toMime,
  };
  return figure;
}

/** A figure of a specification made elsewhere (any trace that plotly draws as SVG); it is drawn as it stands, only resized. */
export function figureOf(specification: Pick<Specification, "data" | "layout">, options: FigureOptions = {}): Figure {
  return makeFigure({
    options,
    alt: options.title ?? "A figure",
    draw: ({ width, height }) => ({
      data: specification.data,
      layout: { ...specification.layout, width, height: height ?? specification.layout["height"] ?? Math.round(width * 0.62) },
      config: figureConfig,
    }),
  });
}

/** Plotly's behaviour in pages: no logo, no tools that make no sense for these charts. */
export const figureConfig: Readonly<Record<string, unknown>> = {
  displaylogo: false,
  responsive: true,
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
};

function notesText(notes: FigureNotes | undefined, drawn: "whiskers" | "bands" | undefined): string {
  const intervals = notes?.intervals ?? (drawn === undefined ? undefined : `${drawn}: 95\u00a0% intervals`);
  const { n, seeds, engine, version, more = [] } = notes ?? {};
  const parts = [
    n === undefined ? undefined : `n\u00a0=\u00a0${typeof n === "number" ? n.toLocaleString("en-US") : n} images a rate`,
    seeds === undefined ? undefined : seedsText(seeds),
    intervals,
    ...more,
    engine === undefined ? undefined : `engine ${engine}`,
    version === undefined ? undefined : `damlab ${version}`,
  ].filter((part): part is string => part !== undefined);
  const text = parts.join("; ");
  return text === "" ? "" : `${text.charAt(0) === "n" ? text : text.charAt(0).toUpperCase() + text.slice(1)}.`;
}

function seedsText(seeds: number | readonly number[]): string {
  if (typeof seeds === "number") return seeds === 1 ? "1 seed" : `${seeds} seeds`;
  return seeds.length === 1 ? `seed ${String(seeds[0])}` : `${seeds.length} seeds (${seeds.join(",\u00a0")})`;
}
