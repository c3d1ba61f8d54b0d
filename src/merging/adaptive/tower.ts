/** The vision tower with its tasks' heads: one pass over all tasks' batches gives losses and gradients, here or on worker threads. */
import * as path from "node:path";
import { createWorkers, type Workers } from "../../engine";
import type { VisionConfig, ZeroShotHead } from "../../models";
import type { MergeSpace } from "./mergeSpace";
import { addResults, classifyPieces, computePasses, type PassRequest, type PassResult, type TowerParts } from "./pass";
import type { PieceRequest } from "./passWorker";
import { cutBatches, requestOf, THREAD_PIECES } from "./pieces";

/** Starts threads for adaptation; close them when done. More than two are of no use to one run. */
export function createAdaptationWorkers(count = THREAD_PIECES): Promise<Workers> {
  return createWorkers(path.join(__dirname, `passWorker${path.extname(__filename)}`), { count });
}

/** A tower as test-time methods use it. */
export class AdaptationTower {
  private readonly parts: TowerParts;

  constructor(
    config: VisionConfig,
    space: MergeSpace,
    heads: readonly ZeroShotHead[],
    private readonly workers?: Workers,
    plainLoops = false,
  ) {
    const merged = new Set(space.layout.map(({ name }) => name));
    const frozen = new Map([...space.pretrained].filter(([name]) => !merged.has(name)));
    this.parts = { config, layout: space.layout, frozen, heads, plainLoops };
  }

  /**
   * One forward and backward pass of all batches.
   * @param theta Merged parameters, as `mergeMasked` gives them.
   * @param batches One a task: [images, 3, height, width], normalised.
   * @param room Memory that G may take, of θ's length; new by default.
   */
  async pass(theta: Float32Array, batches: readonly Float32Array[], request: PassRequest, room?: Float32Array): Promise<PassResult> {
    const pieces = cutBatches(batches, this.parts.config, true).map((piece) => ({ ...piece, request: requestOf(piece, request) }));
    const spread = this.spread<PassResult>("passPiece", theta, pieces);
    return spread ? addResults(await spread) : computePasses(this.parts, theta, pieces, room);
  }

  /** Most likely class of each image, task by task. */
  async classify(theta: Float32Array, batches: readonly Float32Array[]): Promise<Int32Array[]> {
    const pieces = cutBatches(batches, this.parts.config, false);
    const spread = this.spread<Int32Array[]>("classifyPiece", theta, pieces);
    const found = spread
      ? await spread
      : classifyPieces(
          this.parts,
          theta,
          pieces.map((piece) => piece.batches),
        );
    return batches.map((_, task) => Int32Array.from(found.flatMap((classes) => [...classes[task]!])));
  }

  /** Computes the pieces on the workers; null where there are none, or nothing to spread. */
  private spread<Result>(
    name: string,
    theta: Float32Array,
    pieces: readonly { readonly batches: readonly Float32Array[]; readonly request?: PassRequest }[],
  ): Promise<Result[]> | null {
    const { workers, parts } = this;
    if (!workers || workers.count < 2 || pieces.length < 2) return null;
    const shared = new Float32Array(new SharedArrayBuffer(theta.byteLength));
    shared.set(theta);
    return Promise.all(
      pieces.map(({ batches, request }) => {
        const piece: PieceRequest & { request?: PassRequest } = { parts, theta: shared, batches, ...(request && { request }) };
        return workers.run<Result>(name, piece);
      }),
    );
  }
}
