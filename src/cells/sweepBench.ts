import type { CellSettings } from "./settings";
import { packMerged, type Judgement, type View } from "./sweepJobs";
import type { SweepLab } from "./sweepLab";
import { mergeSource, shareLabels, sweepPoint, sweepView, type MergeSource, type PointParameters, type SharedLabels } from "./sweepPieces";
import type { SweepRun } from "./sweepRuns";
import type { Sweep, SweepPoint } from "./sweepTypes";
import type { Suite } from "./suite";
import type { TaskVectors } from "./taskVectors";

/** What a sweep works on. */
interface BenchPlace {
  readonly vectors: TaskVectors;
  readonly suite: Suite;
  /** The same tasks' clean models; null where no floor is measured. */
  readonly clean: TaskVectors | null;
  readonly lab: SweepLab;
}

/** How a sweep judges. */
interface BenchSetting extends Pick<PointParameters, "triggers" | "split" | "limit"> {
  readonly options: Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>;
  readonly adaptOn: "adapt" | "test";
  readonly viewImages: number;
}

/** How many pieces `SweepBench` reports for these runs. */
export function countPieces(runs: readonly SweepRun[], { models }: TaskVectors, viewImages: number): number {
  const points = runs.flatMap((run) => run.points);
  const views = viewImages > 0 ? runs.filter(isViewed).length : 0;
  return points.length + points.filter(({ floor }) => floor).length + views + models.length + 1;
}

/**
 * Computes the pieces of a sweep, all of them asked for at once and each merge once. (All promises of a call are waited for together: after an
 * interrupt none may be left that nobody listens to.)
 */
export class SweepBench {
  private readonly sources = new Map<string, Promise<MergeSource>>();
  private readonly labels: SharedLabels;

  /** @param onPiece Called after each piece. */
  constructor(
    private readonly place: BenchPlace,
    private readonly setting: BenchSetting,
    private readonly settings: Partial<CellSettings>,
    private readonly onPiece: () => void,
  ) {
    this.labels = shareLabels(settings);
  }

  /** Judges all points of all runs, in their order. */
  async judgeRuns(runs: readonly SweepRun[]): Promise<SweepPoint[]> {
    const judged = await Promise.all(runs.map((run) => this.judgeRun(run)));
    return judged.flat();
  }

  /** The fine-tuned models, each on its own task. */
  async judgeIndividual(): Promise<Sweep["individual"]> {
    const { pretrained, models } = this.place.vectors;
    const own = await Promise.all(
      models.map(({ task, parameters }) =>
        this.judge(this.place.vectors, fixedSource(`individual ${task}`, packMerged(pretrained, parameters)), {
          tasks: [task],
          triggers: "attacked",
        }),
      ),
    );
    return { acc: meanOf(own.map(({ acc }) => acc))!, asrAttacked: meanOf(own.flatMap(({ asrAttacked }) => asrAttacked ?? [])) };
  }

  /** The pretrained model on all tasks. */
  async judgePretrained(): Promise<Sweep["pretrained"]> {
    const { pretrained } = this.place.vectors;
    const source = fixedSource("pretrained", packMerged(pretrained, pretrained));
    const { acc, asrAttacked } = await this.judge(this.place.vectors, source, { triggers: "attacked" });
    return { acc, asrAttacked };
  }

  private async judgeRun(run: SweepRun): Promise<SweepPoint[]> {
    const { method, title, alpha, seed } = run;
    const { vectors, clean } = this.place;
    const view = this.setting.viewImages > 0 && isViewed(run) ? this.look(run) : null;
    return Promise.all(
      run.points.map(async ({ stage, scale, floor }): Promise<SweepPoint> => {
        const [rates, below, seen] = await Promise.all([
          this.source(vectors, run).then((source) => this.judge(vectors, source, { stage, scale })),
          // Latent triggers say nothing about a floor.
          floor ? this.source(clean!, run).then((source) => this.judge(clean!, source, { stage, scale, triggers: "attacked" })) : null,
          view,
        ]);
        const { acc, asrAttacked, asrClean, asrAll, tasks } = rates;
        return {
          ...{ method, title, alpha, scale, seed, stage, acc, asrAttacked, asrClean, asrAll },
          floor: below === null ? null : { acc: below.acc, asrAttacked: below.asrAttacked },
          tasks,
          view: stage === "final" ? seen : null,
        };
      }),
    );
  }

  private source(vectors: TaskVectors, { method, options, seed }: Pick<SweepRun, "method" | "options" | "seed">): Promise<MergeSource> {
    const { suite, clean, lab } = this.place;
    const key = JSON.stringify([vectors === clean, method, options, seed]);
    const parameters = { method, options, seed: seed ?? 0, adaptOn: this.setting.adaptOn };
    const made = this.sources.get(key) ?? mergeSource({ suite, vectors, lab, labels: this.labels }, parameters, this.settings);
    this.sources.set(key, made);
    return made;
  }

  private async judge(vectors: TaskVectors, source: MergeSource, parameters: Partial<PointParameters>): Promise<Judgement> {
    const { suite, lab } = this.place;
    const { triggers, split, limit } = this.setting;
    const found = await sweepPoint.with(this.settings)(
      { suite, vectors, lab, source },
      {
        ...{ tasks: vectors.models.map(({ task }) => task), attacked: { ...this.place.vectors.attacked }, triggers, split, limit },
        ...parameters,
      },
    );
    this.onPiece();
    return found;
  }

  private async look(run: SweepRun): Promise<View> {
    const { vectors, suite, lab } = this.place;
    const { viewImages: images, adaptOn, options } = this.setting;
    const adamerging = { method: "adamerging", options: options["adamerging"] ?? {}, seed: run.seed };
    const [source, unmasked] = await Promise.all([this.source(vectors, run), this.source(vectors, adamerging)]);
    const seed = run.seed ?? 0;
    const found = await sweepView.with(this.settings)({ suite, vectors, lab, source, unmasked }, { images, adaptOn, seed });
    this.onPiece();
    return found;
  }
}

/** The user of a defence looks at what it made. */
function isViewed({ method }: SweepRun): boolean {
  return method === "dam";
}

function fixedSource(key: string, merged: Float32Array): MergeSource {
  return { key, load: () => Promise.resolve({ stages: { final: merged } }) };
}

function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
