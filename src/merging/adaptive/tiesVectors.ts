import { MagnitudeRank } from "../magnitudeRank";
import { isMerged } from "../scope";
import { storeTensor, type StoredTensor, type StoredVector } from "./storedVectors";

/**
 * Task vectors as AdaMerging++ takes them: each trimmed to its largest entries and without those whose sign loses the election
 * (Ties-Merging, Yadav et al. 2023, arXiv:2306.01708; entries are ranked over the whole task vector).
 * @param density Fraction of each task vector that is kept, in (0, 1].
 * @returns New tensors for the merged parameters only, held as those given: all float32 or all bfloat16.
 */
export function tiesTaskVectors(taskVectors: readonly StoredVector[], density: number): Map<string, StoredTensor>[] {
  const names = [...(taskVectors[0]?.keys() ?? [])].filter((name) => isMerged(name, "vision"));
  const trimmed = taskVectors.map((vector) => trim(vector, names, density));
  let balance = 0;
  for (const name of names) {
    const tensors = trimmed.map((vector) => widenTensor(vector.get(name)!));
    for (let i = 0; i < tensors[0]!.length; i++) balance += Math.sign(sumAt(tensors, i));
  }
  const zeroSign = balance > 0 ? 1 : -1;
  for (const name of names) {
    const tensors = trimmed.map((vector) => widenTensor(vector.get(name)!));
    for (let i = 0; i < tensors[0]!.length; i++) {
      const sign = Math.sign(sumAt(tensors, i)) || zeroSign;
      for (const values of tensors) if (values[i]! * sign < 0) values[i] = 0;
    }
    trimmed.forEach((vector, task) => vector.set(name, likeTensor(vector.get(name)!, tensors[task]!)));
  }
  return trimmed;
}

/** The tensor's own numbers where they are float32. */
function widenTensor(tensor: StoredTensor): Float32Array {
  return storeTensor(tensor, "float32").values;
}

/** Numbers that bfloat16 has, held as another tensor is. */
function likeTensor({ shape, values }: StoredTensor, numbers: Float32Array): StoredTensor {
  return storeTensor({ shape, values: numbers }, values instanceof Uint16Array ? "bfloat16" : "float32");
}

function sumAt(tensors: readonly Float32Array[], i: number): number {
  let sum = 0;
  for (const values of tensors) sum = Math.fround(sum + values[i]!);
  return sum;
}

/** Keeps every entry whose magnitude is at least the (d − ⌊density · d⌋)-th smallest, as `ties` does. */
function trim(vector: StoredVector, names: readonly string[], density: number): Map<string, StoredTensor> {
  const tensors = names.map((name) => vector.get(name)!);
  const elements = tensors.reduce((sum, { values }) => sum + values.length, 0);
  const zeros = new Float32Array(Math.max(...tensors.map(({ values }) => values.length)));
  const rank = new MagnitudeRank();
  rank.begin(elements, elements - Math.floor(elements * density));
  for (const tensor of tensors) rank.countUpper(widenTensor(tensor), zeros);
  rank.finishUpper();
  for (const tensor of tensors) rank.countLower(widenTensor(tensor), zeros);
  const { magnitude } = rank.finishLower();
  return new Map(
    names.map((name, index) => {
      const kept = widenTensor(tensors[index]!).map((value) => (Math.abs(value) >= magnitude ? value : 0));
      return [name, likeTensor(tensors[index]!, kept)];
    }),
  );
}
