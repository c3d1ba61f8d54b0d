/**
 * How all figures look: one colour-blind-safe palette (Okabe and Ito 2008, https://jfly.uni-koeln.de/color/), one font in one size,
 * and one style for each family of methods. A family keeps its colour *and* its marker, dash and hatching everywhere, so that figures
 * also read in grey. Conditions (clean, backdoored) are grey, and yellow with dark outlines, so that neither is taken for a method.
 */

/** Okabe–Ito, a grey, and the wine of Paul Tol's "muted" scheme (https://personal.sron.nl/~pault/); yellow only as a fill with a dark outline. */
export const palette = {
  black: "#000000",
  orange: "#e69f00",
  sky: "#56b4e9",
  green: "#009e73",
  yellow: "#f0e442",
  blue: "#0072b2",
  vermillion: "#d55e00",
  purple: "#cc79a7",
  grey: "#8a929c",
  wine: "#882255",
} as const;

/** Neutral inks of the light scheme; `darkInks` maps each to its counterpart on a dark page. */
export const inks = { text: "#1f2933", muted: "#52606d", axis: "#7b8794", grid: "#e4e7eb", paper: "#ffffff" } as const;

/** What the neutral inks, and the two palette colours too dark for it, become on a dark page. */
export const darkInks: Readonly<Record<string, string>> = {
  [inks.text]: "#e6e9ed",
  [inks.muted]: "#b6bec9",
  [inks.axis]: "#8d97a3",
  [inks.grid]: "#323a45",
  [inks.paper]: "#15191f",
  [palette.black]: "#f5f7fa",
  [palette.blue]: "#3d9be0",
  [palette.wine]: "#b0486f",
};

/** The font of all figures: shipped in `data/fonts`; elsewhere the reader's own sans-serif. */
export const fontFamily = "Inter, 'Helvetica Neue', Arial, sans-serif";

/** Colour, marker, dash and hatching of one family of methods or one condition. */
export interface SeriesStyle {
  readonly colour: string;
  /** Plotly marker symbol. */
  readonly symbol: string;
  /** Plotly line dash. */
  readonly dash: "solid" | "dash" | "dot" | "dashdot" | "longdash" | "longdashdot" | "5px,2px";
  /** Plotly bar pattern; "" is a plain fill. */
  readonly pattern: "" | "/" | "\\" | "x" | "-" | "|" | "+" | ".";
  /** Fill of bars, where it is another colour than that of lines and outlines. */
  readonly fill?: string;
}

const style = (colour: string, symbol: string, dash: SeriesStyle["dash"], pattern: SeriesStyle["pattern"]): SeriesStyle => ({
  colour,
  symbol,
  dash,
  pattern,
});

/** Styles by family of methods, and by condition (clean, backdoored, floor). */
export const styles = {
  individual: style(palette.grey, "square-x", "dot", ""),
  average: style(palette.sky, "circle", "longdash", ""),
  arithmetic: style(palette.blue, "square", "dash", ""),
  ties: style(palette.green, "triangle-up", "dashdot", ""),
  adaptive: style(palette.orange, "diamond", "longdashdot", ""),
  subspace: style(palette.purple, "pentagon", "5px,2px", ""),
  dam: style(palette.vermillion, "star", "solid", ""),
  defense: style(palette.wine, "triangle-down", "dot", ""),
  other: style(palette.grey, "hexagon", "dot", ""),
  clean: { ...style(inks.muted, "circle", "solid", ""), fill: "#c3cad2" },
  backdoored: { ...style(inks.text, "diamond", "dash", "/"), fill: palette.yellow },
  floor: style(palette.grey, "line-ns", "dot", ""),
} as const satisfies Record<string, SeriesStyle>;

/** Names of the styles: a family of methods or a condition. */
export type StyleName = keyof typeof styles;

const familyPatterns: readonly (readonly [RegExp, StyleName])[] = [
  [/pretrain|individual|single/, "individual"],
  [/anp|awm|sau|post|ibvs|lfpm|msd|prun|purif/, "defense"],
  [/\bdam\b|defen[cs]e.?aware|dual/, "dam"],
  [/concrete|subspace|tall|consensus|tsv|iso/, "subspace"],
  [/ada|adapt|fisher|regmean/, "adaptive"],
  [/ties|dare/, "ties"],
  [/arithmetic|task.?vector/, "arithmetic"],
  [/average|soup|\bwag\b/, "average"],
];

/** The family a method belongs to, found from its id or title ("task_arithmetic", "Ties-Merging", "DAM (joint)"); "other" if none fits. */
export function familyOf(method: string): StyleName {
  const name = method.toLowerCase().replace(/[_-]+/g, " ");
  return familyPatterns.find(([pattern]) => pattern.test(name))?.[1] ?? "other";
}

/** The n-th line of one family: the same colour and shape; open, dotted, open dotted, with dashes of its own. */
export function variantOf(style: SeriesStyle, variant: number): SeriesStyle {
  const endings = ["", "-open", "-dot", "-open-dot"];
  const dashes = [style.dash, "dot", "dash", "longdashdot"] as const;
  return { ...style, symbol: style.symbol + (endings[variant % 4] ?? ""), dash: dashes[variant % 4] ?? style.dash };
}

/** A colour with opacity, as CSS text. @param colour "#rrggbb". @param opacity in [0, 1]. */
export function fade(colour: string, opacity: number): string {
  const part = (start: number): number => Number.parseInt(colour.slice(start, start + 2), 16);
  return `rgba(${part(1)}, ${part(3)}, ${part(5)}, ${opacity})`;
}
