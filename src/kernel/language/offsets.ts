/** @file Jupyter counts code points, TypeScript counts UTF-16 code units: an emoji is one or two. */

/** Index in `text` of the code point with this number. */
export function toUtf16(text: string, codePoint: number): number {
  let index = 0;
  for (let count = 0; count < codePoint && index < text.length; count++) index += text.codePointAt(index)! > 0xffff ? 2 : 1;
  return index;
}

/** Number of code points before an index of `text`. */
export function toCodePoint(text: string, index: number): number {
  let count = 0;
  for (let at = 0; at < index; count++) at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  return count;
}
