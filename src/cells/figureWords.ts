/** Words that figures share: short names of tasks, and what captions say of how their numbers were made. */
import type { FigureNotes } from "../figures";
import type { DefendedModel } from "./metaOptimize";
import { provenanceOf } from "./provenance";

const NAMES: Readonly<Record<string, string>> = {
  mnist: "MNIST",
  cars: "Cars",
  resisc45: "RESISC45",
  eurosat: "EuroSAT",
  svhn: "SVHN",
  dtd: "DTD",
};

/** A task's name on axes and in titles; other tasks than the suite's keep their id. */
export function taskName(id: string): string {
  return NAMES[id] ?? id;
}

/** Engine and version of the first of these values that is a cell's result. */
export function madeBy(...results: readonly unknown[]): Pick<FigureNotes, "engine" | "version"> {
  const provenance = results.map(provenanceOf).find((found) => found !== undefined);
  if (provenance === undefined) return {};
  return { ...(provenance.engine === null ? {} : { engine: provenance.engine.name }), version: provenance.damlab };
}

/** "attack seed 0", as the names of the triggers say ("trojvit/eurosat-seed0"); none where they say nothing. */
export function attackSeedNotes(attacked: Readonly<Record<string, string>>): string[] {
  const seeds = [...new Set(Object.values(attacked).flatMap((trigger) => /-seed(\d+)$/.exec(trigger)?.[1] ?? []))];
  return seeds.length === 0 ? [] : [`attack ${seeds.length === 1 ? "seed" : "seeds"} ${seeds.sort().join(", ")}`];
}

/** Seeds, engine and version of one run of a test-time merge. */
export function runNotes(merged: object): FigureNotes {
  const { masks, attacked = {} } = merged as Partial<Pick<DefendedModel, "masks" | "attacked">>;
  const seed = masks?.seed ?? provenanceOf(merged)?.seed ?? null;
  return { ...(seed !== null && { seeds: [seed] }), more: attackSeedNotes(attacked), ...madeBy(merged) };
}
