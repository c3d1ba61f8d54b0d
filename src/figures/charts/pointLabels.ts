import { textWidth } from "../textWidth";

/** A point of a plot in pixels, y downwards. */
export interface PlacedPoint {
  readonly x: number;
  readonly y: number;
}

/** Where a label stands beside its point; the first are preferred. */
const PLACES = ["bottom right", "top right", "bottom left", "top left", "bottom center", "top center"] as const;

/** How plotly calls the place of a label. */
export type LabelPlace = (typeof PLACES)[number];

/**
 * Places for labels beside their points, each where it covers the fewest markers and earlier labels, inside the plot.
 * @param markers All points of the plot, the labelled ones among them.
 */
export function placeLabels(
  labels: readonly { readonly text: string; readonly at: PlacedPoint }[],
  markers: readonly PlacedPoint[],
  { fontSize, width, height }: { readonly fontSize: number; readonly width: number; readonly height: number },
): LabelPlace[] {
  const taken = markers.map(({ x, y }) => boxAround(x, y, fontSize, fontSize));
  return labels.map(({ text, at }) => {
    const boxes = PLACES.map((place) => labelBox(place, at, textWidth(text, fontSize), fontSize));
    const costs = boxes.map((box) => {
      const outside = box.left < 0 || box.right > width || box.top < 0 || box.bottom > height;
      return taken.filter((other) => overlap(box, other)).length + (outside ? taken.length + 1 : 0);
    });
    const best = costs.indexOf(Math.min(...costs));
    taken.push(boxes[best]!);
    return PLACES[best]!;
  });
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

function boxAround(x: number, y: number, width: number, height: number): Box {
  return { left: x - width / 2, right: x + width / 2, top: y - height / 2, bottom: y + height / 2 };
}

/** Plotly sets labels about half a marker away from the point. */
function labelBox(place: LabelPlace, { x, y }: PlacedPoint, width: number, fontSize: number): Box {
  const [vertical, horizontal] = place.split(" ");
  const away = fontSize * 0.55;
  const across = horizontal === "right" ? width / 2 + away : horizontal === "left" ? -width / 2 - away : 0;
  const down = vertical === "bottom" ? fontSize * 0.6 + away : -fontSize * 0.6 - away;
  return boxAround(x + across, y + down, width, fontSize * 1.1);
}

function overlap(first: Box, second: Box): boolean {
  return first.left < second.right && second.left < first.right && first.top < second.bottom && second.top < first.bottom;
}
