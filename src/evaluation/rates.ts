/** @file Shares of images, counted from predicted classes. Predictions and labels are class indices, one an image, in split order. */

/** A share of images. */
export interface Rate {
  /** hits / n, a fraction in [0, 1]; null where n is 0. */
  readonly value: number | null;
  readonly hits: number;
  /** The denominator: how many images count. */
  readonly n: number;
}

/** Class indices, one an image. */
export type Classes = ArrayLike<number>;

/** ACC: the share of images whose predicted class is the true one. */
export function accuracy(predicted: Classes, labels: Classes): Rate {
  sameLength("accuracy", predicted, labels);
  return share(labels.length, (image) => predicted[image] === labels[image]);
}

/**
 * ASR: the share of triggered images that are predicted as the target class. Its denominator is the images whose true class is not the
 * target, since the others would be "hits" of a model that is simply right.
 * @param predicted Predictions of the images with the trigger pasted in.
 * @param options `countAll` puts all images into the denominator, as some papers do.
 */
export function attackSuccessRate(predicted: Classes, labels: Classes, options: { target: number; countAll?: boolean }): Rate {
  sameLength("attack success rate", predicted, labels);
  const { target, countAll = false } = options;
  return share(
    labels.length,
    (image) => predicted[image] === target,
    (image) => countAll || labels[image] !== target,
  );
}

/** Flips: the share of all images whose prediction changes when the trigger is pasted in. */
export function flipRate(clean: Classes, triggered: Classes): Rate {
  sameLength("flip rate", triggered, clean);
  return share(clean.length, (image) => clean[image] !== triggered[image]);
}

/** The share of all images that are predicted as one class, whatever they are. */
export function classRate(predicted: Classes, target: number): Rate {
  return share(predicted.length, (image) => predicted[image] === target);
}

/** A rate from counts. */
export function rate(hits: number, n: number): Rate {
  return { value: n === 0 ? null : hits / n, hits, n };
}

function share(length: number, hit: (image: number) => boolean, counts: (image: number) => boolean = () => true): Rate {
  let hits = 0;
  let n = 0;
  for (let image = 0; image < length; image++) {
    if (!counts(image)) continue;
    n++;
    if (hit(image)) hits++;
  }
  return rate(hits, n);
}

function sameLength(what: string, predicted: Classes, labels: Classes): void {
  if (predicted.length !== labels.length) {
    throw new TypeError(`Cannot count the ${what}: expected one prediction for each of ${labels.length} images, got ${predicted.length}`);
  }
}
