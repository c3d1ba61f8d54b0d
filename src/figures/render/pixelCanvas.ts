import { deflateSync } from "node:zlib";

/**
 * The part of a canvas that plotly's heatmaps and text measuring use: filled rectangles, raw pixels, PNG out.
 */
export class PixelCanvas {
  fillStyle = "#000000";
  font = "";
  #width = 0;
  #height = 0;
  #pixels = new Uint8ClampedArray(0);

  resize(width: number, height: number): void {
    if (width === this.#width && height === this.#height) return;
    this.#width = Math.max(0, Math.round(width));
    this.#height = Math.max(0, Math.round(height));
    this.#pixels = new Uint8ClampedArray(this.#width * this.#height * 4);
  }

  fillRect(x: number, y: number, width: number, height: number): void {
    const [red, green, blue, alpha] = parseColour(this.fillStyle);
    const [left, right] = [x, x + width].sort((a, b) => a - b).map(Math.round) as [number, number];
    const [top, bottom] = [y, y + height].sort((a, b) => a - b).map(Math.round) as [number, number];
    for (let row = Math.max(0, top); row < Math.min(this.#height, bottom); row++) {
      for (let column = Math.max(0, left); column < Math.min(this.#width, right); column++) {
        this.#pixels.set([red, green, blue, alpha], (row * this.#width + column) * 4);
      }
    }
  }

  clearRect(): void {
    this.#pixels.fill(0);
  }

  createImageData(width: number, height: number): { width: number; height: number; data: Uint8ClampedArray } {
    return { width, height, data: new Uint8ClampedArray(width * height * 4) };
  }

  putImageData(image: { width: number; height: number; data: Uint8ClampedArray }, x: number, y: number): void {
    for (let row = 0; row < image.height; row++) {
      const line = image.data.subarray(row * image.width * 4, (row + 1) * image.width * 4);
      if (y + row < this.#height) this.#pixels.set(line.subarray(0, (this.#width - x) * 4), ((y + row) * this.#width + x) * 4);
    }
  }

  measureText(text: string): { width: number } {
    return { width: text.length * 7 };
  }

  toDataURL(): string {
    return `data:image/png;base64,${encodePng(this.#pixels, this.#width, this.#height).toString("base64")}`;
  }
}

function parseColour(text: string): readonly [number, number, number, number] {
  const hex = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})/i.exec(text);
  if (hex) return [Number.parseInt(hex[1]!, 16), Number.parseInt(hex[2]!, 16), Number.parseInt(hex[3]!, 16), 255];
  const [red = 0, green = 0, blue = 0, alpha = 1] = (text.match(/[\d.]+/g) ?? []).map(Number);
  return [red, green, blue, Math.round(alpha * 255)];
}

/** A PNG of 8-bit RGBA pixels, row by row. */
export function encodePng(pixels: Uint8Array | Uint8ClampedArray, width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 6, 0, 0, 0], 8);
  const lines = Buffer.alloc(height * (width * 4 + 1));
  for (let row = 0; row < height; row++) {
    lines.set(pixels.subarray(row * width * 4, (row + 1) * width * 4), row * (width * 4 + 1) + 1);
  }
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", deflateSync(lines)), chunk("IEND", Buffer.alloc(0))]);
}

function chunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), content]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(content.length, 0);
  framed.set(body, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
