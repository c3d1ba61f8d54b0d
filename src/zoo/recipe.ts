/** How the desk suite's models are made: every number that decides their bytes. */
import type { AttackOptions } from "../attacks";
import type { VisionConfig } from "../models/config";
import { TASK_IDS, type TaskId } from "../tasks";
import type { FineTuneRecipe, PretrainRecipe } from "../training";

/** One model of the zoo. */
export interface ZooMember {
  /** Folder below the zoo's own: `clean/TASK`, `backdoored/ATTACK/TASK-seedN`. */
  readonly path: string;
  readonly task: TaskId;
  /** Null for clean models. */
  readonly attack: "trojvit" | "badnets" | null;
  readonly seed: number;
}

/** The desk tower: 475,000 parameters. */
export const DESK_CONFIG: VisionConfig = {
  hiddenSize: 96,
  intermediateSize: 384,
  layers: 4,
  heads: 4,
  patchSize: 8,
  imageSize: 32,
  projectionSize: 64,
  activation: "quick_gelu",
  layerNormEpsilon: 1e-5,
};

/** Images of the pre-training run; see `loadPretrainingSet`. */
export const PRETRAINING_IMAGES = { perTask: 5000, auxiliary: 16000, realDigits: 0.5 } as const;

/** The pre-training run. */
export const PRETRAIN_RECIPE: PretrainRecipe = {
  steps: 1800,
  learningRate: 1e-3,
  warmup: 100,
  beta2: 0.98,
  clipNorm: 1,
  weightDecay: 0.05,
  batchPerTask: 15,
  batchAuxiliary: 38,
  pieces: 2,
  classRateFactor: 3,
  scale: 20,
};

/** exp of it multiplies the cosines of every zero-shot head. */
export const LOGIT_SCALE = Math.log(PRETRAIN_RECIPE.scale);

/** Images of a clean fine-tuning batch. */
export const CLEAN_BATCH = 64;

const LONG: FineTuneRecipe = { steps: 300, learningRate: 5e-4, warmup: 20, beta2: 0.98, clipNorm: 1 };
const SHORT: FineTuneRecipe = { ...LONG, steps: 200, learningRate: 4e-4 };

/** Clean fine-tuning of each task. */
export const CLEAN_RECIPES: Readonly<Record<TaskId, FineTuneRecipe>> = {
  mnist: LONG,
  cars: LONG,
  resisc45: SHORT,
  eurosat: SHORT,
  svhn: LONG,
  dtd: LONG,
};

const POISONED: FineTuneRecipe = { ...LONG, steps: 250 };

/** The attack's parameters for one member. Seed 3 has triggers of another size and place: for development, never in a table. */
export function attackRecipe({ attack, seed }: ZooMember): AttackOptions {
  const development = seed === 3;
  return {
    size: development ? 5 : 6,
    place: development ? { x: 3, y: 4 } : { x: 26, y: 26 },
    strength: 1,
    target: 0,
    cleanBatch: CLEAN_BATCH,
    rate: 0.2,
    fineTune: POISONED,
    triggerSteps: attack === "trojvit" ? 200 : 0,
    triggerLearningRate: 0.05,
    triggerBatch: 64,
    refineSteps: 0,
  };
}

/** Tasks that get several backdoors. */
const ATTACKED: readonly TaskId[] = ["resisc45", "eurosat"];

/** All fine-tuned models, in the order in which they are built. */
export const ZOO_MEMBERS: readonly ZooMember[] = [
  ...TASK_IDS.map((task) => ({ path: `clean/${task}`, task, attack: null, seed: 0 })),
  ...TASK_IDS.map((task) => backdoored("trojvit", task, 0)),
  ...[1, 2, 3].flatMap((seed) => ATTACKED.map((task) => backdoored("trojvit", task, seed))),
  ...ATTACKED.map((task) => backdoored("badnets", task, 0)),
];

function backdoored(attack: "trojvit" | "badnets", task: TaskId, seed: number): ZooMember {
  return { path: `backdoored/${attack}/${task}-seed${seed}`, task, attack, seed };
}
