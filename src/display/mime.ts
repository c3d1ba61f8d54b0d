/** One value shown in several formats, keyed by MIME type. Text and JSON stay as they are; binary formats are base64 text. */
export type MimeBundle = { readonly "text/plain": string } & Readonly<Record<string, unknown>>;

/** The open display protocol of Jupyter kernels for JavaScript: an object that has this method decides how it is shown. */
export const displaySymbol: unique symbol = Symbol.for("Jupyter.display") as never;

/** A value that shows itself; may take its time (a picture has to be drawn first). */
export interface Displayable {
  [displaySymbol](): MimeBundle | Promise<MimeBundle>;
}

/** Whether a value shows itself through `Symbol.for("Jupyter.display")`. */
export function isDisplayable(value: unknown): value is Displayable {
  return (
    ((typeof value === "object" && value !== null) || typeof value === "function") &&
    typeof (value as Partial<Displayable>)[displaySymbol] === "function"
  );
}

/**
 * Jupyter's metadata of a bundle: the size at which its PNG is to be shown, where its HTML shows the same PNG at a size of its own. A front end
 * that does not trust a notebook's HTML shows the PNG itself, and would take each of its pixels for one of the screen's.
 */
export function pictureMetadata(data: Readonly<Record<string, unknown>>): Record<string, { readonly width: number }> {
  const html = [data["text/html"]].flat().join("");
  const width = "image/png" in data ? /^<div class="damlab-figure"><img [^>]*?\bwidth="(\d+)"/.exec(html)?.[1] : undefined;
  return width === undefined ? {} : { "image/png": { width: Number(width) } };
}
