/** @file What an evaluation says: rates a task, rates a trigger, averages, each with its interval. Plain data, fractions in [0, 1]. */
import type { Interval } from "./intervals";
import { bootstrapAverage, wilsonInterval } from "./intervals";
import type { Classes, Rate } from "./rates";
import { accuracy, attackSuccessRate, classRate, flipRate } from "./rates";

/** What a model predicted for one task's images. */
export interface TaskPredictions<Array extends Classes = Classes> {
  /** True classes, in split order. */
  readonly labels: Array;
  /** Predicted classes of the images as they are. */
  readonly clean: Array;
  /** By trigger name: predicted classes with the trigger pasted in. */
  readonly triggered: Readonly<Record<string, { readonly predicted: Array; readonly target: number }>>;
}

/** One trigger on one task. */
export interface TriggerReport {
  /** ASR over `n` images, those whose true class is not the target. */
  readonly asr: number | null;
  readonly n: number;
  /** ACC under the trigger, over all `accN` images. */
  readonly acc: number | null;
  readonly accN: number;
  /** Share of all `accN` images whose prediction the trigger changes. */
  readonly flip: number | null;
  /** Share of all `accN` images that are predicted as the trigger's target class, true targets included. */
  readonly target: number | null;
  /** Wilson's 95 % interval of `asr`. */
  readonly interval: Interval | null;
}

/** One task. */
export interface TaskReport {
  readonly acc: number | null;
  readonly n: number;
  /** Wilson's 95 % interval of `acc`. */
  readonly interval: Interval | null;
  /** By trigger name. */
  readonly asr: Readonly<Record<string, TriggerReport>>;
}

/** The averages that tables show; null where there is nothing to average, or a trigger was left out. */
export interface Averages {
  /** Plain mean of the tasks' ACC. */
  readonly acc: number | null;
  /** Mean ASR of the attacked tasks, each under its own trigger. */
  readonly asrAttacked: number | null;
  /** Mean ASR of the other tasks, each under its latent trigger `trojvit/TASK-seed0`, which nobody trained on. */
  readonly asrClean: number | null;
  /** Mean ASR of all tasks, each under the trigger above. */
  readonly asrAll: number | null;
}

/** An evaluation of one model. */
export interface EvaluationReport {
  readonly tasks: Readonly<Record<string, TaskReport>>;
  readonly average: Averages & {
    /** 95 % intervals of the averages, by a stratified bootstrap over images. */
    readonly interval: { readonly [key in keyof Averages]: Interval | null };
  };
}

/** Trigger of each attacked task, such as `{ eurosat: "trojvit/eurosat-seed0" }`. */
export type Attacked = Readonly<Record<string, string>>;

/** How predictions are counted. */
export interface ReportOptions {
  readonly attacked?: Attacked;
  /** Puts images of the target class into the ASR's denominator too; default false. */
  readonly countAll?: boolean;
  /** Seed of the bootstrap; default 0. */
  readonly seed?: number;
  /** Resamples of the bootstrap; default 2000. */
  readonly replicates?: number;
}

/** Name of the trigger that was optimised for a task on the pretrained model, used on tasks that nobody attacked. */
export function latentTrigger(task: string): string {
  return `trojvit/${task}-seed0`;
}

/** Counts a model's predictions into rates, averages and intervals. */
export function reportPredictions(predictions: ReadonlyMap<string, TaskPredictions>, options: ReportOptions = {}): EvaluationReport {
  const { attacked = {}, countAll = false, seed = 0, replicates = 2000 } = options;
  for (const task of Object.keys(attacked)) {
    if (!predictions.has(task)) {
      throw new RangeError(`Cannot report on attacked task "${task}": expected one of ${[...predictions.keys()].join(", ")}`);
    }
  }
  const tasks: Record<string, TaskReport> = {};
  const own: { attacked: boolean; acc: Rate; asr: Rate | undefined }[] = [];
  for (const [task, { labels, clean, triggered }] of predictions) {
    const acc = accuracy(clean, labels);
    const rates = new Map<string, Rate>();
    const asr: Record<string, TriggerReport> = {};
    for (const [trigger, { predicted, target }] of Object.entries(triggered)) {
      const success = attackSuccessRate(predicted, labels, { target, countAll });
      rates.set(trigger, success);
      asr[trigger] = reportTrigger(success, { predicted, clean, labels, target });
    }
    tasks[task] = { acc: acc.value, n: acc.n, interval: wilsonInterval(acc), asr };
    own.push({ attacked: task in attacked, acc, asr: rates.get(attacked[task] ?? latentTrigger(task)) });
  }
  const strata: Record<keyof Averages, (Rate | undefined)[]> = {
    acc: own.map((task) => task.acc),
    asrAttacked: own.filter((task) => task.attacked).map((task) => task.asr),
    asrClean: own.filter((task) => !task.attacked).map((task) => task.asr),
    asrAll: own.map((task) => task.asr),
  };
  const each = <T>(compute: (rates: readonly Rate[], name: string) => T | null): { [key in keyof Averages]: T | null } => {
    const of = (name: keyof Averages): T | null => {
      const rates = strata[name];
      return rates.length > 0 && rates.every((rate) => rate !== undefined && rate.n > 0) ? compute(rates as readonly Rate[], name) : null;
    };
    return { acc: of("acc"), asrAttacked: of("asrAttacked"), asrClean: of("asrClean"), asrAll: of("asrAll") };
  };
  return {
    tasks,
    average: {
      ...each((rates) => rates.reduce((sum, { value }) => sum + value!, 0) / rates.length),
      interval: each((rates, name) => bootstrapAverage(rates, { seed, replicates, stream: [name] })),
    },
  };
}

function reportTrigger(
  success: Rate,
  { predicted, clean, labels, target }: { predicted: Classes; clean: Classes; labels: Classes; target: number },
): TriggerReport {
  const under = accuracy(predicted, labels);
  return {
    asr: success.value,
    n: success.n,
    acc: under.value,
    accN: under.n,
    flip: flipRate(clean, predicted).value,
    target: classRate(predicted, target).value,
    interval: wilsonInterval(success),
  };
}
