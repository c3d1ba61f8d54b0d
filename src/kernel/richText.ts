import { displaySymbol, type Displayable, type MimeBundle } from "../display/mime";

function shownAs(type: string, content: unknown, text: string): Displayable {
  return { [displaySymbol]: (): MimeBundle => ({ "text/plain": text, [type]: content }) };
}

/** HTML, to be the value of a cell or the argument of `display`. */
export function html(text: string): Displayable {
  return shownAs("text/html", text, text.replace(/<[^>]*>/g, ""));
}

/** Markdown. */
export function markdown(text: string): Displayable {
  return shownAs("text/markdown", text, text);
}

/** LaTeX: with its own dollar signs or environment. */
export function latex(text: string): Displayable {
  return shownAs("text/latex", text, text);
}

/** An SVG picture. */
export function svg(text: string): Displayable {
  return shownAs("image/svg+xml", text, "<SVG picture>");
}

/** A PNG picture: its bytes, or the bytes as base64 text. */
export function png(picture: Uint8Array | string): Displayable {
  const encoded = typeof picture === "string" ? picture : Buffer.from(picture).toString("base64");
  return shownAs("image/png", encoded, "<PNG picture>");
}

/** A tree of JSON that can be folded. */
export function json(value: unknown): Displayable {
  return shownAs("application/json", value, JSON.stringify(value, null, 2));
}
