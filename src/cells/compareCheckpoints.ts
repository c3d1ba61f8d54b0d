import { readdir } from "node:fs/promises";
import * as path from "node:path";
import { z } from "zod";
import { hashFile, openCheckpoint, openTaskVector, type TaskVector } from "../checkpoints";
import { damlabVersion } from "../engine/version";
import { heatmapFigure, makeTable, tableToHtml, type Figure, type Table } from "../figures";
import { defineCell, type Cell } from "./cell";

/** Checkpoints to compare: folders in the Hugging Face layout, or safetensors files. */
export interface ComparedCheckpoints {
  /** θ₀. */
  readonly base: string;
  /** θ_t by name. */
  readonly models: Readonly<Record<string, string>>;
}

/** How far fine-tuning moved each model, and in which directions. */
export interface CheckpointComparison {
  readonly figures: {
    /** ‖τ‖ / ‖θ₀‖ by model and block. */
    readonly norms: Figure;
    /** Cosines between the task vectors. */
    readonly cosines: Figure;
  };
  readonly table: Table;
}

/** Compares fine-tuned CLIP vision towers of any size by their task vectors, streamed. */
export const compareCheckpoints: Cell<[checkpoints: ComparedCheckpoints], Record<never, never>, CheckpointComparison> = defineCell({
  name: "compareCheckpoints",
  version: 1,
  summary: "Task vectors of CLIP vision towers: how far each block moved, and in which directions",
  inputs: ["checkpoints"],
  parameters: z.object({}),
  cache: false,
  engine: false,
  identify: ([{ base, models }]: [checkpoints: ComparedCheckpoints]) => ({ base: path.basename(base), models: Object.keys(models) }),
  files: async ([{ base, models }]) =>
    Object.fromEntries(
      await Promise.all([["base", base] as const, ...Object.entries(models)].map(async ([name, place]) => [name, await hashPlace(place)])),
    ),
  async run([{ base, models }], _, { breathe }) {
    const names = Object.keys(models);
    if (names.length === 0) throw new RangeError("Cannot compare checkpoints: expected at least 1 model, got 0");
    const pretrained = await openCheckpoint(base);
    const vectors: TaskVector[] = [];
    try {
      for (const name of names) {
        vectors.push(openTaskVector(await openCheckpoint(models[name]!, { base: pretrained }), pretrained));
      }
      return describe(names, await sumUp(vectors, breathe));
    } finally {
      for (const vector of vectors) await vector.finetuned.close();
      await pretrained.close();
    }
  },
  text: ({ table }) => table.toString(),
  display: ({ table }) => ({ "text/html": tableToHtml(table) }),
});

/** Sums over the parameters of one block: squares of θ₀, and dot products of all pairs of task vectors. */
interface BlockSums {
  base: number;
  elements: number;
  readonly dots: Float64Array;
}

async function sumUp(vectors: readonly TaskVector[], breathe: () => Promise<void>): Promise<Map<string, BlockSums>> {
  const blocks = new Map<string, BlockSums>();
  const count = vectors.length;
  for (const name of vectors[0]!.names) {
    await breathe();
    const block = blockOf(name);
    const sums = blocks.get(block) ?? { base: 0, elements: 0, dots: new Float64Array(count * count) };
    blocks.set(block, sums);
    const { values: origin } = await vectors[0]!.pretrained.readFloat32(name);
    const moved: Float32Array[] = [];
    for (const vector of vectors) moved.push((await vector.read(name)).values);
    sums.elements += moved[0]!.length;
    for (const value of origin as Float32Array) sums.base += value * value;
    for (let row = 0; row < count; row++) {
      for (let column = row; column < count; column++) sums.dots[row * count + column]! += dot(moved[row]!, moved[column]!);
    }
  }
  return blocks;
}

function dot(first: Float32Array, second: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < first.length; i++) sum += first[i]! * second[i]!;
  return sum;
}

function blockOf(name: string): string {
  const block = /\.layers\.(\d+)\./.exec(name)?.[1];
  if (block !== undefined) return block;
  return name.includes("visual_projection") ? "projection" : name.includes("post_layernorm") ? "end" : "start";
}

function describe(names: readonly string[], blocks: ReadonlyMap<string, BlockSums>): CheckpointComparison {
  const count = names.length;
  const columns = [...blocks.keys()];
  const total: BlockSums = { base: 0, elements: 0, dots: new Float64Array(count * count) };
  for (const { base, elements, dots } of blocks.values()) {
    total.base += base;
    total.elements += elements;
    dots.forEach((value, index) => (total.dots[index]! += value));
  }
  const notes = { more: [`${total.elements.toLocaleString("en-US")} parameters a model`], version: damlabVersion() };
  const relative = ({ base, dots }: BlockSums, model: number): number | null =>
    base === 0 ? null : Math.sqrt(dots[model * count + model]! / base);
  const cosine = (row: number, column: number): number | null => {
    const square = total.dots[row * count + row]! * total.dots[column * count + column]!;
    return square === 0 ? null : total.dots[Math.min(row, column) * count + Math.max(row, column)]! / Math.sqrt(square);
  };
  return {
    figures: {
      norms: heatmapFigure(
        { rows: names, columns, values: names.map((_, model) => columns.map((block) => relative(blocks.get(block)!, model))) },
        {
          title: "How far fine-tuning moved each block",
          xTitle: "block",
          valueTitle: "‖τ‖ / ‖θ₀‖ (%)",
          percent: true,
          digits: 1,
          caption: "Norm of what fine-tuning added to a block's parameters, over the norm of the pretrained ones.",
          notes,
        },
      ),
      cosines: heatmapFigure(
        { rows: names, columns: names, values: names.map((_, row) => names.map((_name, column) => cosine(row, column))) },
        {
          title: "Cosines between the task vectors",
          valueTitle: "cosine",
          centre: 0,
          range: [-1, 1],
          caption: "Over all parameters of the vision tower; 0: the two models moved in unrelated directions.",
          notes,
        },
      ),
    },
    table: makeTable({
      columns: [
        { key: "model", title: "Model" },
        { key: "elements", title: "Parameters", format: "integer" },
        { key: "norm", title: "‖τ‖", format: "number" },
        { key: "relative", title: "‖τ‖ / ‖θ₀‖", format: "percent" },
      ],
      rows: names.map((model, index) => ({
        model,
        elements: total.elements,
        norm: Math.sqrt(total.dots[index * count + index]!),
        relative: relative(total, index),
      })),
    }),
  };
}

/** SHA-256 of all weight files of a checkpoint, in the order of their names. */
async function hashPlace(place: string): Promise<string> {
  const names = await readdir(place).catch(() => null);
  const files = names === null ? [place] : names.filter((name) => name.endsWith(".safetensors")).map((name) => path.join(place, name));
  return (await Promise.all(files.sort().map(hashFile))).join(" ");
}
