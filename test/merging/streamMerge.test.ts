import assert from "node:assert/strict";
import type { NamedTensors } from "../../src/checkpoints";
import {
  dataFreeMethods,
  mergeParameters,
  parseOptions,
  streamMerge,
  ties,
  type DataFreeMethod,
  type ParameterReader,
} from "../../src/merging";
import { numbers, picoModel } from "./pico";

/** A model in memory that is read as files are: later, and in pieces. */
function reader(model: NamedTensors, delays = false): ParameterReader {
  return {
    async readFloat32Into(name, target, start = 0, count = target.length) {
      if (delays) await new Promise((resolve) => setTimeout(resolve, (start + name.length) % 3));
      target.set(model.get(name)!.values.subarray(start, start + count));
    },
  };
}

const base = picoModel(0);
const finetuned = [1, 2, 3, 4, 5].map((seed) => picoModel(seed, base));
const tensors = [...base]
  .filter(([name]) => name !== "visual_projection.weight")
  .map(([name, { values }]) => ({ name, elements: values.length }));
const request = (method: DataFreeMethod<object>, options: object) => ({
  kernel: method.kernel(parseOptions(method, options), finetuned.length),
  tensors,
  pretrained: reader(base, true),
  models: finetuned.map((model) => reader(model, true)),
});

async function collect(stream: ReturnType<typeof streamMerge>): Promise<Record<string, number[]>> {
  const result: Record<string, number[]> = {};
  for await (const { name, start, values } of stream) {
    const numbers = (result[name] ??= []);
    assert.equal(start, numbers.length, "slices come in order");
    // A slow writer must still find its values untouched by the slice that is computed meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 1));
    numbers.push(...values);
  }
  return result;
}

describe("streamMerge()", () => {
  const settings: [string, object][] = [
    ["average", {}],
    ["task_arithmetic", {}],
    ["ties", {}],
    ["ties", { trim: "tensor", aggregate: "mean", density: 0.4 }],
  ];
  for (const [name, options] of settings) {
    it(`streamMerge() gives the bits of mergeParameters() however tensors are cut: ${name} ${JSON.stringify(options)}`, async () => {
      const method = dataFreeMethods.get(name) as DataFreeMethod<object>;
      const whole = numbers(mergeParameters(method, base, { finetuned }, options));
      delete whole["visual_projection.weight"];
      for (const sliceElements of [5, 1000]) {
        assert.deepEqual(await collect(streamMerge({ ...request(method, options), sliceElements })), whole);
      }
    });
  }

  it("streamMerge() rejects with a failed read's error", async () => {
    const failing: ParameterReader = {
      readFloat32Into: async (name) => {
        if (name === "vision_model.post_layernorm.bias") throw new Error("Cannot read");
      },
    };
    const all = request(ties, {});
    await assert.rejects(collect(streamMerge({ ...all, models: [...all.models.slice(1), failing] })), new Error("Cannot read"));
  });

  it("streamMerge() stops where its signal is aborted", async () => {
    const controller = new AbortController();
    const stream = streamMerge({ ...request(ties, {}), sliceElements: 5, signal: controller.signal });
    await stream.next();
    controller.abort(new Error("enough"));
    await assert.rejects(collect(stream), new Error("enough"));
  });

  it("streamMerge() says how far it is", async () => {
    const seen: [number, string][] = [];
    await collect(streamMerge({ ...request(ties, {}), onProgress: (fraction, title) => seen.push([fraction, title]) }));
    assert.deepEqual([...new Set(seen.map(([, title]) => title))].length, 4);
    assert.deepEqual(
      seen.map(([fraction]) => fraction),
      seen.map(([fraction]) => fraction).sort((a, b) => a - b),
    );
    assert.equal(seen.at(-1)![0], 1);
  });
});
