import { z } from "zod";
import type { LayerMasks } from "../dam";
import {
  heatmapFigure,
  makeTable,
  tableToHtml,
  tableToText,
  type CellValue,
  type Figure,
  type FigureNotes,
  type FigureOptions,
  type LayerGrid,
  type Table,
} from "../figures";
import { defineCell, type Cell } from "./cell";
import { runNotes, taskName } from "./figureWords";
import type { DefendedModel } from "./metaOptimize";

/** Parameters of `maskReport`. */
export interface MaskReportParameters {
  /** What is reported, for the pictures' titles; default the model's title. */
  title?: string | undefined;
}

/** What trained masks keep and prune. */
export interface MaskReport {
  readonly figures: {
    /** Density of M1 by kind of parameter and block; missing without M1. */
    readonly sharedDensity?: Figure;
    /** Density of M2; missing without M2. */
    readonly backdoorDensity?: Figure;
    /** Share of each task vector's squared norm that M2 prunes, by task and block; missing without M2. */
    readonly pruned?: Figure;
    /** Elements that both masks prune, over what two independent masks would; missing unless there are both. */
    readonly overlap?: Figure;
  };
  /** One row a block, and one for all. */
  readonly table: Table;
}

/** Draws what the masks of a merge by DAM keep and prune: density by kind and block, what M2 prunes of each task, the overlap of M1 and M2. */
export const maskReport: Cell<[merged: Pick<DefendedModel, "layers" | "title">], MaskReportParameters, MaskReport> = defineCell({
  name: "maskReport",
  version: 1,
  summary: "Draws what the masks of a merge by DAM keep and prune",
  inputs: ["merged"],
  parameters: z.object({ title: z.string().optional().describe("what is reported; default: the model's title") }),
  cache: false,
  engine: false,
  resolve: ([merged]: [merged: Pick<DefendedModel, "layers" | "title">], parameters) => ({
    title: parameters.title ?? merged.title,
  }),
  run([merged], { title = "" }) {
    return { figures: drawFigures(merged.layers, title, runNotes(merged)), table: tabulate(merged.layers, title) };
  },
  text: ({ table }) => tableToText(table),
  async display({ figures, table }) {
    const drawn = await Promise.all(Object.values(figures).map((figure) => figure.toMime()));
    return { "text/html": [...drawn.map((bundle) => bundle["text/html"]), tableToHtml(table)].join("\n") };
  },
});

const KINDS: readonly [suffix: string, kind: string][] = [
  ["class_embedding", "Class token"],
  ["patch_embedding.", "Patches"],
  ["position_embedding.", "Positions"],
  ["pre_layrnorm.", "Layer norm, first"],
  ["layer_norm1.", "Layer norm 1"],
  ["q_proj.", "Query"],
  ["k_proj.", "Key"],
  ["v_proj.", "Value"],
  ["out_proj.", "Attention output"],
  ["layer_norm2.", "Layer norm 2"],
  ["mlp.fc1.", "MLP in"],
  ["mlp.fc2.", "MLP out"],
  ["post_layernorm.", "Layer norm, last"],
];

/** Kind and block of a parameter: `Query` of `3`; what lies before and after the blocks is of `start` and `end`. */
function placeOf(name: string): { kind: string; block: string } {
  const block = /\.layers\.(\d+)\./.exec(name)?.[1];
  const kind = KINDS.find(([part]) => name.includes(part))?.[1] ?? name;
  return { kind, block: block ?? (name.includes("post_layernorm") ? "end" : "start") };
}

/** Distinct blocks in the model's order. */
function blocksOf(layers: readonly LayerMasks[]): string[] {
  return [...new Set(layers.map(({ name }) => placeOf(name).block))];
}

/** Mean weighted by the number of elements; null where no layer has a value. */
function weigh(layers: readonly LayerMasks[], of: (layer: LayerMasks) => number | null): number | null {
  const known = layers.flatMap((layer) => {
    const value = of(layer);
    return value === null ? [] : [{ value, elements: layer.elements }];
  });
  const elements = known.reduce((sum, layer) => sum + layer.elements, 0);
  return elements === 0 ? null : known.reduce((sum, layer) => sum + layer.value * layer.elements, 0) / elements;
}

/** Share of a task vector's squared norm that M2 prunes over some layers. */
function prunedOfTask(layers: readonly LayerMasks[], task: string): number | null {
  let [lost, all] = [0, 0];
  for (const { prunedOfTasks, squares } of layers) {
    const share = prunedOfTasks[task] ?? null;
    if (share === null) continue;
    lost += share * squares[task]!;
    all += squares[task]!;
  }
  return all === 0 ? null : lost / all;
}

/** How many times as many elements both masks prune as if they chose independently; null where one of them prunes nothing. */
function overlapOf(layers: readonly LayerMasks[]): number | null {
  const [both, shared, backdoor] = [
    weigh(layers, ({ prunedByBoth }) => prunedByBoth),
    weigh(layers, ({ pruned }) => pruned.shared),
    weigh(layers, ({ pruned }) => pruned.backdoor),
  ];
  return both === null || !shared || !backdoor ? null : both / (shared * backdoor);
}

function gridOf(layers: readonly LayerMasks[], of: (layers: readonly LayerMasks[]) => number | null): LayerGrid {
  const kinds = KINDS.map(([, kind]) => kind).filter((kind) => layers.some(({ name }) => placeOf(name).kind === kind));
  const columns = blocksOf(layers);
  const values = kinds.map((kind) =>
    columns.map((block) => {
      const own = layers.filter(({ name }) => placeOf(name).kind === kind && placeOf(name).block === block);
      return own.length === 0 ? null : of(own);
    }),
  );
  return { rows: kinds, columns, values };
}

function drawFigures(layers: readonly LayerMasks[], title: string, notes: FigureNotes): MaskReport["figures"] {
  const [shared, backdoor] = (["shared", "backdoor"] as const).map((mask) => layers.some(({ density }) => density[mask] !== null));
  const named = (what: string): string => (title === "" ? what : `${title}: ${what}`);
  const axis = { xTitle: "block", notes };
  const density = (mask: "shared" | "backdoor", what: string): Figure =>
    heatmapFigure(
      gridOf(layers, (own) => weigh(own, (layer) => layer.density[mask])),
      {
        ...axis,
        title: named(what),
        valueTitle: "density (%)",
        percent: true,
        digits: 1,
        caption: "Density: expected fraction of the elements that is kept, mean of sigmoid(Z).",
      },
    );
  return {
    ...(shared && { sharedDensity: density("shared", "density of M1, the task-shared mask") }),
    ...(backdoor && {
      backdoorDensity: density("backdoor", "density of M2, the backdoor-detection mask"),
      pruned: drawPruned(layers, { ...axis, title: named("what M2 prunes of each task vector") }),
    }),
    ...(shared &&
      backdoor && {
        overlap: heatmapFigure(gridOf(layers, overlapOf), {
          ...axis,
          title: named("overlap of what M1 and M2 prune"),
          valueTitle: "times chance",
          centre: 1,
          caption:
            "Elements that both masks prune (sigmoid(Z) below one half), over what two independent masks of the same densities would; above 1: the masks agree.",
        }),
      }),
  };
}

function drawPruned(layers: readonly LayerMasks[], options: FigureOptions & { readonly xTitle: string }): Figure {
  const tasks = Object.keys(layers[0]?.squares ?? {});
  const columns = [...blocksOf(layers), "all"];
  const values = tasks.map((task) =>
    columns.map((column) =>
      prunedOfTask(
        layers.filter(({ name }) => column === "all" || placeOf(name).block === column),
        task,
      ),
    ),
  );
  return heatmapFigure(
    { rows: tasks.map(taskName), columns, values },
    {
      ...options,
      valueTitle: "pruned (%)",
      percent: true,
      digits: 1,
      caption: "Share of the task vector's squared norm in the elements that M2 prunes (sigmoid(Z2) below one half).",
    },
  );
}

function tabulate(layers: readonly LayerMasks[], title: string): Table {
  const row = (block: string, own: readonly LayerMasks[]): Record<string, CellValue> => ({
    block,
    elements: own.reduce((sum, { elements }) => sum + elements, 0),
    shared: weigh(own, ({ density }) => density.shared),
    backdoor: weigh(own, ({ density }) => density.backdoor),
    prunedShared: weigh(own, ({ pruned }) => pruned.shared),
    prunedBackdoor: weigh(own, ({ pruned }) => pruned.backdoor),
    both: weigh(own, ({ prunedByBoth }) => prunedByBoth),
    overlap: overlapOf(own),
  });
  const blocks = blocksOf(layers).map((block) =>
    row(
      block,
      layers.filter(({ name }) => placeOf(name).block === block),
    ),
  );
  return makeTable({
    caption: title === "" ? "Masks" : `Masks of ${title}`,
    columns: [
      { key: "block", title: "Block" },
      { key: "elements", title: "Parameters", format: "integer" },
      { key: "shared", title: "Density M1", format: "percent" },
      { key: "backdoor", title: "Density M2", format: "percent" },
      { key: "prunedShared", title: "Pruned by M1", format: "percent" },
      { key: "prunedBackdoor", title: "Pruned by M2", format: "percent" },
      { key: "both", title: "Pruned by both", format: "percent" },
      { key: "overlap", title: "Overlap", unit: "times chance", format: "number" },
    ],
    rows: [...blocks, row("all", layers)],
    footnotes: [
      "Density: expected fraction that is kept, mean of sigmoid(Z). Pruned: sigmoid(Z) below one half. Overlap: pruned by both, over the product of the two.",
    ],
  });
}
