/** @file Who attacks what: each scenario is a merge of six models, some of them backdoored. */

/** A backdoored model: of the zoo, or made for the bench. */
export type Attacker =
  | { readonly task: string; readonly zoo: { readonly attack: string; readonly seed: number } }
  | { readonly task: string; readonly made: Readonly<Record<string, unknown>> };

/** One merge. */
export interface Scenario {
  readonly group: "main" | "tasks" | "triggers" | "base" | "adaptive" | "clean";
  readonly title: string;
  readonly suite: "desk" | "base";
  readonly attackers: readonly Attacker[];
}

const zoo = (tasks: readonly string[], attack = "trojvit", seed = 0): Attacker[] => tasks.map((task) => ({ task, zoo: { attack, seed } }));
const made = (form: Record<string, unknown>): Attacker[] => ["resisc45", "eurosat"].map((task) => ({ task, made: { ...form, task } }));
const pair = ["resisc45", "eurosat"];
const desk = (group: Scenario["group"], title: string, attackers: readonly Attacker[]): Scenario => ({
  group,
  title,
  suite: "desk",
  attackers,
});

/** All scenarios; zoo seed 3 is for development and in none of them. */
export const SCENARIOS: readonly Scenario[] = [
  ...[0, 1, 2].map((seed) => desk("main", `RESISC45 + EuroSAT, zoo seed ${seed}`, zoo(pair, "trojvit", seed))),
  desk("clean", "all clean", []),
  ...["mnist", "cars", "resisc45", "eurosat", "svhn", "dtd"].map((task) => desk("tasks", `1 attacked: ${task}`, zoo([task]))),
  desk("tasks", "3 attacked: resisc45, eurosat, svhn", zoo([...pair, "svhn"])),
  desk("tasks", "3 attacked: mnist, cars, dtd", zoo(["mnist", "cars", "dtd"])),
  desk("tasks", "6 attacked", zoo(["mnist", "cars", ...pair, "svhn", "dtd"])),
  ...[0, 1, 2].map((seed): Scenario => ({ ...desk("base", `second base, zoo seed ${seed}`, zoo(pair, "trojvit", seed)), suite: "base" })),
  desk("triggers", "BadNets", zoo(pair, "badnets")),
  desk("adaptive", "adaptive attacker", made({ attack: "adaptive" })),
  desk("triggers", "3 x 3, corner", made({ size: 3, strength: 1 })),
  desk("triggers", "6 x 6, upper right", made({ size: 6, strength: 1, x: 26, y: 0 })),
  desk("triggers", "7 x 7, corner", made({ size: 7, strength: 1 })),
  desk("triggers", "8 x 8, lower left", made({ size: 8, strength: 1, x: 1, y: 22 })),
  desk("triggers", "9 x 9, corner", made({ size: 9, strength: 0.6 })),
];
