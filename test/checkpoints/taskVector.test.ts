import assert from "node:assert/strict";
import { join } from "node:path";
import { type HostTensor, openCheckpoint, openTaskVector, type TaskVector, writeSafetensors } from "../../src/checkpoints";
import { withFolder } from "./expected";
import { picoTower, renamed } from "./pico";

/** Writes both checkpoints and forms their task vector. */
async function withVector(
  finetuned: Map<string, HostTensor>,
  base: Map<string, HostTensor>,
  use: (vector: TaskVector) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    await writeSafetensors(
      join(folder, "base.safetensors"),
      renamed(base, (name) => `clip.${name}`),
    );
    await writeSafetensors(join(folder, "tuned.safetensors"), finetuned);
    const pretrained = await openCheckpoint(join(folder, "base.safetensors"));
    const tuned = await openCheckpoint(join(folder, "tuned.safetensors"));
    try {
      const vector = openTaskVector(tuned, pretrained);
      await use(vector);
    } finally {
      await tuned.close();
      await pretrained.close();
    }
  });
}

describe("openTaskVector()", () => {
  it("subtracts the pretrained parameters when they are read", () =>
    withVector(picoTower(2), picoTower(1), async (vector) => {
      assert.deepEqual(vector.names, [...picoTower(1).keys()]);
      const tau = await vector.load();
      for (const [name, { values }] of picoTower(2)) {
        const base = picoTower(1).get(name)!.values;
        assert.deepEqual(tau.get(name), { shape: [2, 3], values: values.map((value, i) => value - base[i]!) });
      }
      const [target, base] = [new Float32Array(2), new Float32Array(2)];
      await vector.readInto("visual_projection.weight", target, 3, 2, base);
      assert.deepEqual(target, tau.get("visual_projection.weight")!.values.slice(3, 5));
      assert.deepEqual(base, picoTower(1).get("visual_projection.weight")!.values.slice(3, 5));
    }));

  it("counts a missing projection as unchanged", () => {
    const tuned = picoTower(2);
    tuned.delete("visual_projection.weight");
    return withVector(tuned, picoTower(1), async (vector) => {
      assert.deepEqual((await vector.read("visual_projection.weight")).values, new Float32Array(6));
      assert.deepEqual((await vector.layers()).at(-1), { name: "visual_projection.weight", norm: 0, relativeNorm: 0, cosine: null });
    });
  });

  it("tells norm and cosine by layer", () => {
    const name = "vision_model.post_layernorm.weight";
    const tensor = (...values: number[]): Map<string, HostTensor> => new Map([[name, { shape: [2], values: Float32Array.from(values) }]]);
    // τ = [6, 4] − [3, 4] = [3, 0]: norm 3, over |θ₀| = 5 is 0.6, cosine 3·3 / (3·5) = 0.6.
    return withVector(tensor(6, 4), tensor(3, 4), async (vector) => {
      assert.deepEqual(await vector.layers(), [{ name, norm: 3, relativeNorm: 0.6, cosine: 0.6 }]);
    });
  });

  it("refuses other names or shapes, and skips nothing", async () => {
    const without = picoTower(2);
    without.delete("vision_model.pre_layrnorm.weight");
    const none = (): Promise<void> => Promise.resolve();
    await assert.rejects(withVector(without, picoTower(1), none), {
      name: "TypeError",
      message:
        /^Cannot form task vector for "vision_model\.pre_layrnorm\.weight": expected shape \[2, 3\] as in the pretrained checkpoint, got no such floating tensor in ".*"$/,
    });
    await assert.rejects(
      withVector(picoTower(2), without, none),
      /"vision_model\.pre_layrnorm\.weight": expected it in pretrained ".*" too, got none$/,
    );
    const turned = picoTower(2).set("visual_projection.weight", { shape: [3, 2], values: new Float32Array(6) });
    await assert.rejects(
      withVector(turned, picoTower(1), none),
      /"visual_projection\.weight": expected shape \[2, 3\] as .*, got \[3, 2\] in ".*"$/,
    );
    await assert.rejects(
      withVector(picoTower(2), picoTower(1), async (vector) => void (await vector.read("toString"))),
      /^RangeError: Cannot read task vector of "toString"/,
    );
  });
});
