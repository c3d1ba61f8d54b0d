/**
 * @file More attacks to choose settings on: a copy of the desk zoo with TrojViT models of zoo seeds 4 to 6, whose triggers have the size and the
 * contrast of the tables' zoo seeds, but lie elsewhere.
 *
 *     npx tsx bench/defence/developmentZoo.ts OUT        six trainings, six minutes on `native`
 *     npx tsx bench/defence/table.ts --suite OUT --zoo-seeds 3,4,5,6 --split validation ...
 */
import { cp } from "node:fs/promises";
import * as path from "node:path";
import { writeFileAtomic } from "../../src/checkpoints";
import { lineProgress } from "../../src/display/progress";
import { buildMembers, DESK_RECIPE, deskFolder, readZoo, type ZooMember } from "../../src/zoo";
import { runMain } from "./flags";

/** Upper left pixels of the triggers; those of the tables lie in the lower right corner. */
const PLACES = { 4: { x: 23, y: 3 }, 5: { x: 3, y: 22 }, 6: { x: 13, y: 12 } } as const;
const TASKS = ["resisc45", "eurosat"];

function developmentMembers(): ZooMember[] {
  return Object.entries(PLACES).flatMap(([seed, place]) =>
    TASKS.map((task) => {
      const like = DESK_RECIPE.members.find((member) => member.path === `backdoored/trojvit/${task}-seed1`)!;
      const training = { ...like.training, place } as ZooMember["training"];
      return { ...like, path: `backdoored/trojvit/${task}-seed${seed}`, seed: Number(seed), training };
    }),
  );
}

runMain(async () => {
  const [out] = process.argv.slice(2);
  if (out === undefined) throw new RangeError("Cannot build the development zoo: expected a folder, got none");
  await cp(deskFolder(), out, { recursive: true });
  const zoo = await readZoo(out);
  const base = { model: zoo.models.find(({ task }) => task === null)! };
  const request = { config: DESK_RECIPE.config, baseSeed: zoo.baseSeed, base: out, out, states: path.join(out, ".states") };
  const built = await buildMembers(developmentMembers(), request, base, { progress: lineProgress({}) });
  const triggers = Object.fromEntries(built.flatMap(({ trigger }) => (trigger ? [[trigger.name, trigger.entry]] : [])));
  const list = { ...zoo, models: [...zoo.models, ...built.map(({ model }) => model)], triggers: { ...zoo.triggers, ...triggers } };
  await writeFileAtomic(path.join(out, "zoo.json"), `${JSON.stringify(list, null, 2)}\n`);
});
