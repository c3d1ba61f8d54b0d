import type { Estimate } from "../../src/figures/estimate";
import {
  type Figure,
  heatmapFigure,
  linesFigure,
  type MethodRow,
  methodsFigure,
  paretoFigure,
  ratesFigure,
  tradeoffFigure,
  transferFigure,
} from "../../src/figures";

const around = (value: number, arm = 0.03): Estimate => ({
  value,
  interval: [Math.max(0, value - arm), Math.min(1, value + arm)],
  n: 1000,
});

const notes = { n: "1,000–2,000", seeds: [0, 1, 2], engine: "wasm", version: "0.1.0" };

const tasks = ["MNIST", "SVHN", "Cars", "RESISC45", "EuroSAT", "DTD"].map((task) =>
  task === "MNIST" ? task : `${task}-like (procedural)`,
);

const methodNames = [
  "Pretrained",
  "Weight average",
  "Task Arithmetic (λ = 0.3)",
  "Ties-Merging (density 0.2, sum)",
  "AdaMerging, layer-wise",
  "Concrete Task Arithmetic",
  "Concrete AdaMerging",
  "DAM (dual masks), α = 0.1",
  "DAM (joint, released code)",
  "Task Arithmetic + ANP",
  "Task Arithmetic + AWM (unlabelled variant)",
  "Task Arithmetic + SAU",
];

/** Twelve methods with long names, each with its floor. */
export const twelveMethods: MethodRow[] = methodNames.map((name, index) => ({
  name,
  averages: { acc: around(0.45 + 0.03 * index), asrAttacked: around(0.1 + 0.07 * index), asrAll: around(0.3) },
  floor: { acc: 0.46 + 0.03 * index, asrAttacked: 0.1 + 0.01 * index, asrAll: 0.12 },
}));

const steps = Array.from({ length: 30 }, (_, step) => step * 10);

/** One figure of each kind, the fullest that is to be expected. */
export function exampleFigures(): Record<string, Figure> {
  const rates = (values: readonly number[]): Estimate[] => values.map((value) => around(value));
  const clean = { acc: rates([0.98, 0.91, 0.83, 0.88, 0.95, 0.71]), asr: rates([0.02, 0.05, 0.12, 0.22, 0.08, 0.31]) };
  const backdoored = { acc: rates([0.97, 0.9, 0.82, 0.87, 0.94, 0.69]), asr: rates([0.99, 0.97, 1, 0.98, 0.995, 0.91]) };
  const front = (name: string, worse: number, baseline: boolean): { name: string; baseline: boolean; points: object[] } => ({
    name,
    baseline,
    points: [0, 1, 2, 3, 4].map((k) => ({ acc: around(0.5 + 0.07 * k - worse), asr: around(0.1 + 0.12 * k + worse), label: `α = ${k}` })),
  });
  return {
    rates: ratesFigure(
      {
        tasks,
        series: [
          { name: "clean", style: "clean", ...clean },
          { name: "backdoored", style: "backdoored", ...backdoored },
        ],
        bounds: [{ name: "pretrained", acc: [0.2, 0.21, 0.3, 0.45, 0.5, 0.4], asr: [0.1, 0.1, 0.12, 0.1, 0.1, null] }],
      },
      {
        title: "Individual models, clean and backdoored (TrojViT)",
        caption: "ACC hardly falls while the trigger flips most images.",
        notes,
      },
    ),
    transfer: transferFigure(
      { tasks, series: [{ name: "Task Arithmetic", style: "arithmetic", ...backdoored }], clean, backdoored },
      { title: "Backdoor transfer", notes },
    ),
    methods: methodsFigure(twelveMethods, {
      title: "Backdoor succession: twelve methods merge two backdoored and four clean models",
      caption: "Bars: averages over tasks.",
      notes,
    }),
    tradeoff: tradeoffFigure(twelveMethods, { title: "ACC against ASR", notes }),
    pareto: paretoFigure(
      {
        fronts: [
          front("Task Arithmetic, scaled", 0.05, true),
          front("Ties-Merging, scaled", 0.08, true),
          front("DAM (dual masks)", 0, false),
        ] as Parameters<typeof paretoFigure>[0]["fronts"],
        bounds: [
          { name: "floor: all-clean merge", asr: around(0.13) },
          { name: "individual models, mean ACC", acc: 0.87 },
        ],
      },
      { title: "Performance–safety trade-off", notes },
    ),
    lines: linesFigure(
      [
        {
          title: "loss",
          series: [
            { name: "entropy", x: steps, y: steps.map((step) => Math.exp(-step / 100)) },
            {
              name: "safety",
              x: steps,
              y: steps.map((step) => 2 * Math.exp(-step / 90)),
              low: steps.map(() => 0),
              high: steps.map(() => 2.2),
            },
          ],
        },
        { title: "density (%)", percent: true, series: [{ name: "M1 (shared)", x: steps, y: steps.map((step) => 0.9 - step / 1000) }] },
      ],
      { title: "Masks over the steps", xTitle: "iteration", notes },
    ),
    heatmap: heatmapFigure(
      {
        rows: ["layer_norm1", "self_attn.q_proj", "self_attn.out_proj", "mlp.fc1"],
        columns: ["embeddings", "0", "1", "2", "3"],
        values: [0, 1, 2, 3].map((row) =>
          [0, 1, 2, 3, 4].map((column) => (column === 0 && row > 1 ? null : 0.2 + 0.1 * column + 0.05 * row)),
        ),
      },
      { title: "Density of M2 by parameter and block", valueTitle: "density (%)", xTitle: "block", percent: true, notes },
    ),
  };
}
