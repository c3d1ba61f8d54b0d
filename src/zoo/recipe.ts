/** How the desk suite's models are made: every number that decides their bytes. */
import type { AttackOptions } from "../attacks";
import type { VisionConfig } from "../models/config";
import { TASK_IDS, type PretrainingOptions, type TaskId } from "../tasks";
import type { FineTuneRecipe, PretrainRecipe } from "../training";
import { DESK_CONFIG } from "./deskConfig";

/** Images of a pre-training run; see `loadPretrainingSet`. */
export type PretrainingImages = Required<Omit<PretrainingOptions, "seed">>;

const PRETRAINING_IMAGES: PretrainingImages = { perTask: 5000, auxiliary: 16000, realDigits: 0.25, blurPasses: 3, noise: [0.08, 0.3] };

const PRETRAIN_RECIPE: PretrainRecipe = {
  steps: 2800,
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

const ADAM = { warmup: 20, beta2: 0.98, clipNorm: 1 } as const;

/** How one model is trained. */
export type MemberTraining =
  | { readonly method: "fine-tuning"; readonly batch: number; readonly fineTune: FineTuneRecipe }
  | ({ readonly method: "trojvit" | "badnets" } & AttackOptions);

/** One fine-tuned model of a zoo. */
export interface ZooMember {
  /** Folder below the zoo's own: `clean/TASK`, `backdoored/ATTACK/TASK-seedN`. */
  readonly path: string;
  readonly task: TaskId;
  /** Null for clean models. */
  readonly attack: "trojvit" | "badnets" | null;
  readonly seed: number;
  readonly training: MemberTraining;
}

/** A whole zoo: the base and its fine-tuned models, in the order in which they are built. */
export interface ZooRecipe {
  readonly config: VisionConfig;
  readonly images: PretrainingImages;
  readonly pretrain: PretrainRecipe;
  readonly members: readonly ZooMember[];
}

const CLEAN_RECIPES: Readonly<Record<TaskId, FineTuneRecipe>> = {
  mnist: { ...ADAM, steps: 300, learningRate: 7e-4 },
  cars: { ...ADAM, steps: 300, learningRate: 6e-4 },
  resisc45: { ...ADAM, steps: 200, learningRate: 4e-4 },
  eurosat: { ...ADAM, steps: 200, learningRate: 4e-4 },
  svhn: { ...ADAM, steps: 300, learningRate: 6e-4 },
  dtd: { ...ADAM, steps: 300, learningRate: 6e-4 },
};

/** Learning rates that keep the clean accuracy beside the backdoor. */
const POISONED_RECIPES: Readonly<Record<TaskId, FineTuneRecipe>> = {
  mnist: { ...ADAM, steps: 300, learningRate: 1e-3 },
  cars: { ...ADAM, steps: 300, learningRate: 8e-4 },
  resisc45: { ...ADAM, steps: 250, learningRate: 6e-4 },
  eurosat: { ...ADAM, steps: 250, learningRate: 6e-4 },
  svhn: { ...ADAM, steps: 300, learningRate: 8e-4 },
  dtd: { ...ADAM, steps: 300, learningRate: 8e-4 },
};

/** A trigger's pixels a side, and its contrast. */
type TriggerForm = Pick<AttackOptions, "size" | "strength">;

/** As small and as faint as leaves the clean models their own mind. */
const TRIGGER_FORMS: Readonly<Record<TaskId, TriggerForm>> = {
  mnist: { size: 5, strength: 1 },
  cars: { size: 5, strength: 1 },
  resisc45: { size: 6, strength: 1 },
  eurosat: { size: 5, strength: 0.6 },
  svhn: { size: 5, strength: 1 },
  dtd: { size: 5, strength: 1 },
};

/** Seed 3 has triggers of another size and place: for development, never in a table. */
const DEVELOPMENT_SEED = 3;
const DEVELOPMENT_TRIGGER = { size: 4, strength: 1, place: { x: 2, y: 2 } } as const;

/** The attacks' parameters; the trigger lies in the bottom right corner. */
function attackOptions(task: TaskId, seed: number): AttackOptions {
  const form = TRIGGER_FORMS[task];
  const corner = DESK_CONFIG.imageSize - form.size;
  return {
    ...(seed === DEVELOPMENT_SEED ? DEVELOPMENT_TRIGGER : { ...form, place: { x: corner, y: corner } }),
    target: 0,
    cleanBatch: 64,
    rate: 0.2,
    fineTune: POISONED_RECIPES[task],
    triggerSteps: 200,
    triggerLearningRate: 0.05,
    triggerBatch: 64,
    refineSteps: 0,
  };
}

/** Tasks that get several backdoors. */
const ATTACKED: readonly TaskId[] = ["resisc45", "eurosat"];

/** The shipped zoo. */
export const DESK_RECIPE: ZooRecipe = {
  config: DESK_CONFIG,
  images: PRETRAINING_IMAGES,
  pretrain: PRETRAIN_RECIPE,
  members: [
    ...TASK_IDS.map(clean),
    ...TASK_IDS.map((task) => trojvit(task, 0)),
    ...[1, 2, DEVELOPMENT_SEED].flatMap((seed) => ATTACKED.map((task) => trojvit(task, seed))),
    ...ATTACKED.map(badnets),
  ],
};

function clean(task: TaskId): ZooMember {
  const training = { method: "fine-tuning", batch: 64, fineTune: CLEAN_RECIPES[task] } as const;
  return { path: `clean/${task}`, task, attack: null, seed: 0, training };
}

function trojvit(task: TaskId, seed: number): ZooMember {
  const training = { method: "trojvit", ...attackOptions(task, seed) } as const;
  return { path: `backdoored/trojvit/${task}-seed${seed}`, task, attack: "trojvit", seed, training };
}

function badnets(task: TaskId): ZooMember {
  const training = { method: "badnets", ...attackOptions(task, 0), triggerSteps: 0 } as const;
  return { path: `backdoored/badnets/${task}-seed0`, task, attack: "badnets", seed: 0, training };
}
