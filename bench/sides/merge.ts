/**
 * A round merges six random checkpoints of CLIP-ViT-B/32 size, 350 MB each, from files to a file.
 *
 *     merge.ts METHOD [tensor] [rehash]
 *
 * With `tensor` Ties trims tensor by tensor; with `rehash` all files are hashed, as in the first merge of files.
 *
 * The checkpoints are made at the first run, below the system's temporary folder or DAMLAB_BENCH_MODELS; 2.5 GB.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { writeSafetensors } from "../../src/checkpoints";
import { mergeCheckpoints, parseRecipe } from "../../src/merging";
import { formatVisionConfig } from "../../src/models";
import { benchModels, MODEL_NAMES } from "./checkpointFolder";
import { CONFIGS, randomParameters, randomTaskVector } from "./models";
import { serveRounds } from "./serve";

async function makeModels(folder: string): Promise<void> {
  const making = `${folder}.${process.pid}`;
  const config = CONFIGS.b32;
  for (const [index, name] of MODEL_NAMES.entries()) {
    const parameters = randomParameters(config);
    if (index > 0) {
      for (const [tensor, { values }] of randomTaskVector(config, index)) {
        const target = parameters.get(tensor)!.values;
        for (let i = 0; i < target.length; i++) target[i] = target[i]! + 0.1 * values[i]!;
      }
    }
    await mkdir(path.join(making, name), { recursive: true });
    await writeFile(path.join(making, name, "config.json"), JSON.stringify(formatVisionConfig(config), null, 2));
    const rows = [...parameters].map(([tensor, { shape, values }]) => ({ name: tensor, shape, values }));
    await writeSafetensors(path.join(making, name, "model.safetensors"), rows, { metadata: { format: "pt" } });
  }
  await rename(making, folder);
}

async function main([method, ...flags]: readonly string[]): Promise<void> {
  const folder = benchModels();
  if (method === "make") return makeModels(folder);
  // In a process of its own, whose memory does not count.
  if (!existsSync(folder)) execFileSync(process.execPath, [...process.execArgv, __filename, "make"]);
  const [base, ...models] = MODEL_NAMES;
  const text = JSON.stringify({ base, models, method, options: flags.includes("tensor") ? { trim: "tensor" } : {} });
  const rehash = flags.includes("rehash");
  const recipe = parseRecipe(text, path.join(folder, "recipe.yaml"));
  const out = path.join(folder, `out-damlab-${process.pid}`);
  await serveRounds(
    {},
    async () => void (await mergeCheckpoints(recipe, out, { rehash })),
    () => rm(out, { recursive: true, force: true }),
  );
}

void main(process.argv.slice(2));
