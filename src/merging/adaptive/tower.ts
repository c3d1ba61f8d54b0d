/** The vision tower with its tasks' heads: one pass over all tasks' batches gives losses and gradients, here or on worker threads. */
import * as path from "node:path";
import { createWorkers, isSingleThreaded, runningEngine, type Workers } from "../../engine";
import type { VisionConfig, ZeroShotHead } from "../../models";
import type { MergeSpace } from "./mergeSpace";
import { computeClasses, computePass, imagesIn, joinArrays, type PassRequest, type PassResult, type TowerParts } from "./pass";
import type { PieceRequest } from "./passWorker";

/**
 * Parts of each task's batch on engines with one thread, each a pass of its own, wherever it is computed; so a run gives the same bytes with
 * and without workers. Other engines take the whole batch at once.
 */
const PIECES = 2;

/** Starts threads for adaptation; close them when done. More than two are of no use to one run. */
export function createAdaptationWorkers(count = PIECES): Promise<Workers> {
  return createWorkers(path.join(__dirname, `passWorker${path.extname(__filename)}`), { count });
}

/** Part of the tasks' batches; `shares` are the parts' fractions of their batches. */
interface Piece {
  readonly batches: readonly Float32Array[];
  readonly ranges: readonly { readonly start: number; readonly end: number }[];
  readonly shares: readonly number[];
}

/** A tower as test-time methods use it. */
export class AdaptationTower {
  private readonly parts: TowerParts;

  constructor(
    config: VisionConfig,
    space: MergeSpace,
    heads: readonly ZeroShotHead[],
    private readonly workers?: Workers,
  ) {
    const merged = new Set(space.layout.map(({ name }) => name));
    const frozen = new Map([...space.pretrained].filter(([name]) => !merged.has(name)));
    this.parts = { config, layout: space.layout, frozen, heads };
  }

  /**
   * One forward and backward pass of all batches.
   * @param theta Merged parameters, as `mergeMasked` gives them.
   * @param batches One a task: [images, 3, height, width], normalised.
   */
  async pass(theta: Float32Array, batches: readonly Float32Array[], request: PassRequest): Promise<PassResult> {
    const pieces = this.cut(batches);
    const requests = pieces.map(({ ranges, shares }): PassRequest => {
      const labels = request.loss.labels?.map((classes, task) => classes.slice(ranges[task]!.start, ranges[task]!.end));
      return { ...request, shares, loss: labels ? { ...request.loss, labels } : request.loss };
    });
    const found = await this.compute<PassResult>("passPiece", theta, pieces, requests, ({ batches: part }, index) =>
      computePass(this.parts, theta, part, requests[index]!),
    );
    return found.length === 1 ? found[0]! : addResults(found);
  }

  /** Most likely class of each image, task by task. */
  async classify(theta: Float32Array, batches: readonly Float32Array[]): Promise<Int32Array[]> {
    const pieces = this.cut(batches);
    const found = await this.compute<Int32Array[]>("classifyPiece", theta, pieces, [], ({ batches: part }) =>
      computeClasses(this.parts, theta, part),
    );
    return batches.map((_, task) => Int32Array.from(found.flatMap((classes) => [...classes[task]!])));
  }

  private async compute<Result>(
    name: string,
    theta: Float32Array,
    pieces: readonly Piece[],
    requests: readonly PassRequest[],
    here: (piece: Piece, index: number) => Result,
  ): Promise<Result[]> {
    const { workers } = this;
    if (!workers || workers.count < 2 || pieces.length < 2) return pieces.map(here);
    const shared = new Float32Array(new SharedArrayBuffer(theta.byteLength));
    shared.set(theta);
    return Promise.all(
      pieces.map(({ batches }, index) => {
        const request: PieceRequest & { request?: PassRequest } = { parts: this.parts, theta: shared, batches };
        return workers.run<Result>(name, requests[index] ? { ...request, request: requests[index] } : request);
      }),
    );
  }

  /** Parts of the batches: of each task the same share, in order. */
  private cut(batches: readonly Float32Array[]): Piece[] {
    const counts = batches.map((batch) => imagesIn(batch, this.parts));
    const engine = runningEngine();
    const pieces = engine && isSingleThreaded(engine.name) && counts.every((count) => count >= PIECES) ? PIECES : 1;
    return Array.from({ length: pieces }, (_, piece) => {
      const edge = (task: number, index: number): number => Math.floor((counts[task]! * index) / pieces);
      const ranges = batches.map((_batch, task) => ({ start: edge(task, piece), end: edge(task, piece + 1) }));
      const parts = batches.map((batch, task) => {
        const length = batch.length / counts[task]!;
        return batch.subarray(ranges[task]!.start * length, ranges[task]!.end * length);
      });
      return { batches: parts, ranges, shares: ranges.map(({ start, end }, task) => (end - start) / counts[task]!) };
    });
  }
}

/** The sum of the pieces, in their order. */
function addResults(pieces: readonly PassResult[]): PassResult {
  const [first, ...others] = pieces as [PassResult, ...PassResult[]];
  for (const { gradient } of others) for (let i = 0; i < gradient.length; i++) first.gradient[i] = first.gradient[i]! + gradient[i]!;
  return {
    loss: pieces.reduce((sum, { loss }) => sum + loss, 0),
    gradient: first.gradient,
    pixelGradients: first.pixelGradients.map((_, task) => joinArrays(pieces.map(({ pixelGradients }) => pixelGradients[task]!))),
    imageLosses: first.imageLosses.map((_, task) => joinArrays(pieces.map(({ imageLosses }) => imageLosses[task]!))),
  };
}
