import type { Inspection } from "../defenses";

const SIDE = 32;
const ZOOM = 3;
const GREY = 200;

/** The stickers that inspections found, each at its place on grey, as HTML with its pictures inside. */
export async function stickerGallery(inspections: readonly Inspection[]): Promise<string> {
  const figures = await Promise.all(
    inspections.map(async (inspection) => {
      const png = await drawSticker(inspection.sticker);
      const caption = `${inspection.task}${inspection.suspect ? ": suspect" : ""}`;
      return (
        `<figure style="display:inline-block;margin:4px;text-align:center"><img alt="${caption}" width="${SIDE * ZOOM}" ` +
        `src="data:image/png;base64,${png.toString("base64")}"><figcaption>${caption}</figcaption></figure>`
      );
    }),
  );
  return `<div>${figures.join("")}</div>`;
}

/** A sticker at its place on a grey image, as PNG. */
export async function drawSticker({ x, y, height, width, pixels }: Inspection["sticker"], side = SIDE): Promise<Buffer> {
  const image = Buffer.alloc(side * side * 3, GREY);
  for (let channel = 0; channel < 3; channel++) {
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        image[((y + row) * side + x + column) * 3 + channel] = Math.round(255 * pixels[(channel * height + row) * width + column]!);
      }
    }
  }
  const { default: sharp } = await import("sharp"); // slow to load, and rarely needed
  return sharp(image, { raw: { width: side, height: side, channels: 3 } })
    .resize(side * ZOOM, side * ZOOM, { kernel: "nearest" })
    .png()
    .toBuffer();
}
