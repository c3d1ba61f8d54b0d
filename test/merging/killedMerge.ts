/** Merges by FOLDER/r.yaml into FOLDER/out and kills its own process where progress reaches PLACE (2: when run.json is about to be written). */
import { readFileSync } from "node:fs";
import files from "node:fs/promises";
import * as path from "node:path";
import { mergeCheckpoints, parseRecipe } from "../../src/merging";

const [folder, place] = [process.argv[2]!, Number(process.argv[3])];
const kill = (): void => void process.kill(process.pid, "SIGKILL");
const recipe = path.join(folder, "r.yaml");
if (place === 2) Object.assign(files, { writeFile: kill });
void mergeCheckpoints(parseRecipe(readFileSync(recipe, "utf8"), recipe), path.join(folder, "out"), {
  onProgress: (fraction) => {
    if (fraction >= place) kill();
  },
});
