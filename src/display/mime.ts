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
