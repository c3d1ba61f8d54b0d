// Writes Inter-metrics.json: the advance width of each character of the two fonts, in units of the em square.
// Run by hand (node data/fonts/metrics.cjs) when the fonts change; a test compares the file with the fonts.
const { writeFileSync } = require("node:fs");
const { join } = require("node:path");
const fontkit = require("fontkit");

const metrics = {};
for (const weight of ["Regular", "SemiBold"]) {
  const font = fontkit.openSync(join(__dirname, `Inter-${weight}.ttf`));
  const advances = {};
  for (const point of font.characterSet) advances[point] = Math.round(font.glyphForCodePoint(point).advanceWidth);
  metrics[weight] = { unitsPerEm: font.unitsPerEm, ascent: font.ascent, descent: -font.descent, advances };
}
writeFileSync(join(__dirname, "Inter-metrics.json"), `${JSON.stringify(metrics).replaceAll('"advances":', '\n"advances":')}\n`);
