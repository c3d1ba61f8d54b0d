/** Describable textures: fourteen patterns in two colours, turned by at most 0.35 radians and slightly warped. */
import type { RandomStream } from "../engine/random";
import { anyColour, eachPixel, flat, frame, tint, type Colour, type Field, type Picture } from "./canvas";
import { fractalNoise, valueNoise } from "./noise";
import type { Generator, ImageClass } from "./generator";
import * as patterns from "./dtdPatterns";

/** DTD-like textures. */
export const dtd: Generator = {
  noise: 0.03,
  classes: [
    texture("banded", "Broad parallel bands with sharp edges", patterns.banded),
    texture("blotchy", "Irregular blots", patterns.blotchy),
    texture("chequered", "A chessboard", patterns.chequered),
    texture("cracked", "A web of thin cracks", patterns.cracked),
    texture("dotted", "Small dots at random places", patterns.dotted),
    texture("polka-dotted", "Large dots in regular rows", patterns.polkaDotted),
    texture("grid", "Thin lines crossing at right angles", patterns.grid),
    texture("honeycombed", "Hexagonal cells with thin walls", patterns.honeycombed),
    texture("marbled", "Winding veins", patterns.marbled),
    texture("spiralled", "One spiral from the middle", patterns.spiralled),
    texture("lined", "Fine parallel lines", patterns.lined),
    texture("woven", "Strands going over and under each other", patterns.woven),
    texture("zigzagged", "Bands bent to and fro", patterns.zigzagged),
    texture("bubbly", "Round cells, bright in their middles", patterns.bubbly),
  ],
};

function texture(name: string, description: string, pattern: (random: RandomStream) => Field): ImageClass {
  return { name, description, draw: (random) => twoColours(random, pattern(random)) };
}

/** Mixes two unlike colours by a pattern with values in [0, 1]; its coordinates have their origin in the picture's middle. */
function twoColours(random: RandomStream, pattern: Field): Picture {
  const [first, second] = unlikeColours(random, 0.8);
  const [warpU, warpV] = [valueNoise(random, 3), valueNoise(random, 3)];
  const at = frame(16, 16, random.uniform(-0.35, 0.35));
  const picture = flat(first);
  tint(picture, (u, v) => pattern(u + 2 * warpU(u + 16, v + 16) - 1, v + 2 * warpV(u + 16, v + 16) - 1), second, at);
  const grain = fractalNoise(random, 6);
  eachPixel(frame(0, 0), (index, x, y) => {
    for (let channel = 0; channel < 3; channel++) picture[index + 1024 * channel]! *= 0.93 + 0.14 * grain(x, y);
  });
  return picture;
}

/** Two colours whose channels differ by more than `distance` in sum. */
function unlikeColours(random: RandomStream, distance: number): [Colour, Colour] {
  for (;;) {
    const [first, second] = [anyColour(random), anyColour(random)];
    if (Math.abs(first[0] - second[0]) + Math.abs(first[1] - second[1]) + Math.abs(first[2] - second[2]) > distance) return [first, second];
  }
}
