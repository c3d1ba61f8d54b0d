/** Scenes from the air, fifteen classes, each at any rotation and at scale 0.8–1.15. */
import type { Generator } from "./generator";
import { airplane, bridge, dense, harbor, intersection, parking, roundabout, runway } from "./resisc45Built";
import { beach, baseballDiamond, circularFarmland, island, storageTanks, tennisCourt, trackField } from "./resisc45Grounds";

/** RESISC45-like remote-sensing scenes (fifteen of the forty-five). */
export const resisc45: Generator = {
  noise: 0.03,
  classes: [
    { name: "airplane", description: "A white aircraft on a grey or tan apron", draw: airplane },
    { name: "baseball diamond", description: "A brown quarter disc with a green square", draw: baseballDiamond },
    { name: "beach", description: "Water and sand with a wavy line of foam", draw: beach },
    { name: "bridge", description: "A straight grey road across water between two green banks", draw: bridge },
    { name: "circular farmland", description: "Large green discs in rows on tan", draw: circularFarmland },
    { name: "dense residential", description: "A tight lattice of roofs", draw: dense },
    { name: "intersection", description: "Two crossing roads with centre lines", draw: intersection },
    { name: "harbor", description: "Piers with rows of white boats on water", draw: harbor },
    { name: "island", description: "Green land with a rim of sand in the sea", draw: island },
    { name: "parking lot", description: "Rows of small cars of all colours on asphalt", draw: parking },
    { name: "roundabout", description: "A ring of road with four arms", draw: roundabout },
    { name: "runway", description: "A wide strip with a dashed white centre line", draw: runway },
    { name: "storage tanks", description: "White discs with dark rims in rows", draw: storageTanks },
    { name: "ground track field", description: "A red-brown stadium ring around green", draw: trackField },
    { name: "tennis court", description: "A coloured court with white lines", draw: tennisCourt },
  ],
};
