/** @file Attackers beside the zoo's: other triggers, and one who knows the defence. */
import { ATTACKS, optimizeTrigger, pasteTrigger, type AttackOptions, type Backdoor, type Trigger, type Victim } from "../../src/attacks";
import { defineCell, z, type Suite, type TaskVectors } from "../../src/cells";
import { tournamentStickers } from "../../src/dam";
import { PURIFY_DEFAULTS } from "../../src/defenses";
import { randomStream } from "../../src/engine";
import { crossEntropyTo, DESK_NORMALIZATION, mergeMasked, openWorkplace, combineTaskVectors } from "../../src/merging/adaptive";
import { uploadParameters } from "../../src/models/parameters";
import { loadTask, type TaskId } from "../../src/tasks";
import { cosineLearningRate, labelledBatches, startAdam, stepAdam } from "../../src/training";
import { DESK_RECIPE } from "../../src/zoo";

const parameters = z.object({
  task: z.string(),
  attack: z.enum(["trojvit", "badnets", "adaptive"]).default("trojvit"),
  seed: z.number().int().default(10),
  size: z.number().int().optional(),
  x: z.number().int().optional(),
  y: z.number().int().optional(),
  strength: z.number().optional(),
});

/** A model attacked as the zoo's are, but for what the parameters say. */
export const attackModel = defineCell({
  name: "attackModel",
  version: 2,
  summary: "A backdoored model of the desk suite with a trigger of one's own",
  inputs: ["vectors", "suite"],
  parameters,
  async run([vectors, suite]: [vectors: TaskVectors, suite: Suite], { task, attack, seed, ...form }): Promise<Backdoor> {
    const { training } = DESK_RECIPE.members.find((member) => member.task === task && member.attack === "trojvit" && member.seed === 0)!;
    const zoo = training as AttackOptions;
    const size = form.size ?? zoo.size;
    const corner = vectors.config.imageSize - size;
    const place = { x: form.x ?? corner, y: form.y ?? corner };
    const options: AttackOptions = { ...zoo, size, place, strength: form.strength ?? zoo.strength };
    const { head } = suite.tasks.find(({ id }) => id === task)!;
    const victim = { task, pretrained: vectors.pretrained, config: vectors.config, head, images: loadTask(task as TaskId).load("train") };
    return attack === "adaptive" ? hideBackdoor(victim, seed, options) : ATTACKS[attack].run(victim, seed, options);
  },
});

/**
 * Knows the defence: while it plants its backdoor, stickers compete against the model as purification's do, and it trains the model to keep
 * the true class under them. What is left answers to the exact trigger alone, and inspection should find nothing.
 */
async function hideBackdoor(victim: Victim, seed: number, options: AttackOptions): Promise<Backdoor> {
  const { pretrained, config, head, images, task } = victim;
  const random = randomStream(seed, "adaptive attack", task);
  const trigger = await makeTrigger(victim, seed, options);
  const batchSize = options.cleanBatch;
  const context = { config, pretrained, taskVectors: [pretrained], tasks: [{ name: task, head, images }] };
  const { space, tower } = openWorkplace(context, batchSize);
  const theta = mergeMasked(space, combineTaskVectors(space, { granularity: "task", values: Float32Array.of(0) }), null);
  const stickers = tournamentStickers(
    { ...PURIFY_DEFAULTS, candidates: 16 },
    { tasks: [task], seed, imageSize: config.imageSize, normalization: DESK_NORMALIZATION },
  );
  const values = stickers.start();
  const clean = labelledBatches(images, batchSize, random.child("clean"));
  const poisoned = labelledBatches(images, Math.round((batchSize * options.rate) / (1 - options.rate)), random.child("triggered"));
  const decoys = labelledBatches(images, 32, random.child("decoys"));
  const adam = startAdam(theta.length);
  const { steps, learningRate: peak, warmup, clipNorm } = options.fineTune;
  const ascents = PURIFY_DEFAULTS.ascentSteps;
  for (let step = 0; step < steps; step++) {
    for (let ascent = 0; ascent < ascents; ascent++) {
      const { pixels, labels } = decoys(step * (ascents + 1) + ascent);
      const perturbed = stickers.apply(values, [pixels], "decoys", step);
      const found = await tower.pass(theta, perturbed, {
        loss: crossEntropyTo([labels]),
        parameters: false,
        pixels: true,
        imageLosses: true,
      });
      stickers.ascend(values, perturbed, found, "decoys", step);
    }
    const plain = clean(step);
    const triggered = poisoned(step);
    pasteTrigger(triggered.pixels, trigger, images);
    const hidden = decoys(step * (ascents + 1) + ascents);
    const [decoy] = stickers.apply(values, [hidden.pixels], "decoys", step);
    const batch = Float32Array.from([...plain.pixels, ...triggered.pixels, ...decoy!]);
    const labels = Int32Array.from([...plain.labels, ...triggered.labels.fill(trigger.target), ...hidden.labels]);
    const { gradient } = await tower.pass(theta, [batch], { loss: crossEntropyTo([labels]) });
    const norm = Math.sqrt(gradient.reduce((sum, value) => sum + value * value, 0));
    if (norm > clipNorm) for (let i = 0; i < gradient.length; i++) gradient[i] = (gradient[i]! * clipNorm) / norm;
    stepAdam(theta, gradient, adam, cosineLearningRate(step, { peak, warmup, steps }));
  }
  const parameters = new Map(pretrained);
  for (const { name, shape, start, end } of space.layout) parameters.set(name, { shape, values: theta.slice(start, end) });
  return { trigger, parameters };
}

async function makeTrigger(victim: Victim, seed: number, options: AttackOptions): Promise<Trigger> {
  const { size, place, target } = options;
  const random = randomStream(seed, "adaptive attack", victim.task, "trigger");
  const { x, y } = place as { x: number; y: number };
  const pixels = Float32Array.from({ length: 3 * size * size }, () => random.uniform());
  const start: Trigger = {
    name: `adaptive/${victim.task}-seed${seed}`,
    task: victim.task,
    target,
    pixels,
    x,
    y,
    height: size,
    width: size,
  };
  const pretrained = () => uploadParameters(victim.pretrained);
  return optimizeTrigger(victim, start, pretrained, options.triggerSteps, random.child("order"), options);
}
