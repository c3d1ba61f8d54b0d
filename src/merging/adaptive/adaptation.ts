/** What test-time methods are given, and the workplace that they set up from it. */
import type { NamedTensors } from "../../checkpoints";
import type { Workers } from "../../engine";
import type { VisionConfig } from "../../models";
import { DESK_NORMALIZATION, drawBatches, type AdaptationTask, type BatchDraw, type Normalization } from "./adaptationTask";
import type { RunOptions } from "./loop";
import { createMergeSpace, placeMergeSpace, type MergeSpace } from "./mergeSpace";
import { Rooms } from "./rooms";
import type { StoredVector, VectorDtype } from "./storedVectors";
import { AdaptationTower } from "./tower";

/** Models to merge and unlabelled images to adapt on. */
export interface AdaptationContext extends RunOptions {
  readonly config: VisionConfig;
  /** θ0, all parameters. */
  readonly pretrained: NamedTensors;
  /** τ_t, one a task; from `allocateTaskVectors` they are shared, else a run may hold copies: in bfloat16, or where the engine needs them. */
  readonly taskVectors: readonly StoredVector[];
  /** In the order of the task vectors. */
  readonly tasks: readonly AdaptationTask[];
  /** Of all random numbers; default 0. */
  readonly seed?: number;
  /** Default: the desk models'. */
  readonly normalization?: Normalization;
  /** Which images each step sees; default: seeded batches of the tasks' images. */
  readonly batches?: BatchDraw;
  /** From `createAdaptationWorkers()`; default: everything is computed on this thread. The bytes are the same. */
  readonly workers?: Workers;
  /** Whether the tower's sums are float64 on engine `wasm`, too, a few times slower; default false. */
  readonly plainLoops?: boolean;
}

/** A context made ready. */
export interface Workplace {
  readonly space: MergeSpace;
  readonly tower: AdaptationTower;
  readonly batches: BatchDraw;
  readonly seed: number;
  readonly tasks: readonly AdaptationTask[];
  readonly normalization: Normalization;
  readonly rooms: Rooms;
}

/** What methods set up differently. */
export interface WorkplaceOptions {
  /** Default: the context's. */
  readonly taskVectors?: readonly StoredVector[];
  /** How task vectors are held; default float32. */
  readonly vectorDtype?: VectorDtype;
}

/**
 * Aligns the task vectors and checks that tasks fit.
 * @throws {TypeError} if tasks and task vectors are not as many, or images or heads do not fit the tower.
 */
export function openWorkplace(context: AdaptationContext, batchSize: number, options: WorkplaceOptions = {}): Workplace {
  const { config, pretrained, tasks, seed = 0, normalization = DESK_NORMALIZATION } = context;
  const { taskVectors = context.taskVectors, vectorDtype } = options;
  checkTasks(config, tasks, taskVectors.length);
  const space = placeMergeSpace(createMergeSpace(pretrained, taskVectors, vectorDtype));
  const batches = context.batches ?? drawBatches(tasks, batchSize, seed, normalization);
  const heads = tasks.map(({ head }) => head);
  return {
    space,
    tower: new AdaptationTower(config, space, heads, context.workers, context.plainLoops),
    batches,
    seed,
    tasks,
    normalization,
    rooms: new Rooms(space.length),
  };
}

function checkTasks(config: VisionConfig, tasks: readonly AdaptationTask[], vectors: number): void {
  if (tasks.length !== vectors)
    throw new TypeError(`Cannot adapt a merge: expected one task a task vector, got ${tasks.length} for ${vectors}`);
  for (const { name, head, images } of tasks) {
    const action = `Cannot adapt a merge on task "${name}"`;
    if (head.weight.shape[1] !== config.projectionSize) {
      throw new TypeError(`${action}: expected a head of shape [classes, ${config.projectionSize}], got [${head.weight.shape}]`);
    }
    const { channels, height, width } = images;
    const size = config.imageSize;
    if (channels !== 3 || height !== size || width !== size) {
      throw new TypeError(`${action}: expected images [3, ${size}, ${size}], got [${channels}, ${height}, ${width}]`);
    }
  }
}
