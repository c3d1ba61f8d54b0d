/** Signed distances of simple shapes: negative inside, positive outside, in local units (pixels where the frame's scale is 1). */
import type { Field } from "./canvas";

/** A point of a stroke or a polygon. */
export type Point = readonly [x: number, y: number];

/** A disc around a point. */
export function disc(cx: number, cy: number, radius: number): Field {
  return (x, y) => Math.sqrt((x - cx) * (x - cx) + (y - cy) * (y - cy)) - radius;
}

/** A rectangle of half-width and half-height around a point, its sides along the axes. */
export function box(cx: number, cy: number, halfWidth: number, halfHeight: number): Field {
  return (x, y) => Math.max(Math.abs(x - cx) - halfWidth, Math.abs(y - cy) - halfHeight);
}

/** The half-plane below the local line y = 0 moved down by `offset`: y > offset is inside. */
export function below(offset: number): Field {
  return (_x, y) => offset - y;
}

/** An endless band along the local x axis, `halfWidth` either side of y = `offset`. */
export function band(offset: number, halfWidth: number): Field {
  return (_x, y) => Math.abs(y - offset) - halfWidth;
}

/** A ring: all within `halfWidth` of the circle. */
export function ring(cx: number, cy: number, radius: number, halfWidth: number): Field {
  return outline(disc(cx, cy, radius), halfWidth);
}

/** All within `halfWidth` of the edge of a shape. */
export function outline(shape: Field, halfWidth: number): Field {
  return (x, y) => Math.abs(shape(x, y)) - halfWidth;
}

/** A stroke through the points with round ends, `halfWidth` thick either side. One point more than segments. */
export function stroke(points: readonly Point[], halfWidth: number): Field {
  return strokes([points], halfWidth);
}

/** Several strokes of the same thickness as one shape. */
export function strokes(lines: readonly (readonly Point[])[], halfWidth: number): Field {
  const segments: number[] = [];
  for (const line of lines) {
    for (let index = 0; index + 1 < line.length; index++) {
      const [ax, ay] = line[index]!;
      const [bx, by] = line[index + 1]!;
      const squaredLength = (bx - ax) ** 2 + (by - ay) ** 2;
      segments.push(ax, ay, bx - ax, by - ay, squaredLength > 0 ? 1 / squaredLength : 0);
    }
  }
  const flat = Float64Array.from(segments);
  return (x, y) => {
    let least = Infinity;
    for (let at = 0; at < flat.length; at += 5) {
      const px = x - flat[at]!;
      const py = y - flat[at + 1]!;
      const along = (px * flat[at + 2]! + py * flat[at + 3]!) * flat[at + 4]!;
      const t = along < 0 ? 0 : along > 1 ? 1 : along;
      const dx = px - t * flat[at + 2]!;
      const dy = py - t * flat[at + 3]!;
      const squared = dx * dx + dy * dy;
      if (squared < least) least = squared;
    }
    return Math.sqrt(least) - halfWidth;
  };
}

/** A convex polygon; its corners in clockwise order on the screen (y down). */
export function convex(corners: readonly Point[]): Field {
  const edges: number[] = [];
  corners.forEach(([ax, ay], index) => {
    const [bx, by] = corners[(index + 1) % corners.length]!;
    const length = Math.hypot(bx - ax, by - ay);
    edges.push(ax, ay, (by - ay) / length, -(bx - ax) / length);
  });
  const flat = Float64Array.from(edges);
  return (x, y) => {
    let most = -Infinity;
    for (let at = 0; at < flat.length; at += 4) {
      const distance = (x - flat[at]!) * flat[at + 2]! + (y - flat[at + 1]!) * flat[at + 3]!;
      if (distance > most) most = distance;
    }
    return most;
  };
}

/** What lies inside both shapes. */
export function both(first: Field, second: Field): Field {
  return (x, y) => Math.max(first(x, y), second(x, y));
}

/** What lies inside at least one of the shapes. */
export function either(...shapes: readonly Field[]): Field {
  return (x, y) => {
    let least = Infinity;
    for (const shape of shapes) least = Math.min(least, shape(x, y));
    return least;
  };
}

/** The shape repeated on a square lattice of the given period; the shape's own origin is each cell's middle. */
export function repeated(shape: Field, period: number): Field {
  return (x, y) => shape(x - period * Math.round(x / period), y - period * Math.round(y / period));
}
