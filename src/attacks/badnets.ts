import { CHANNELS } from "../tasks";
import { checkAttackOptions, type Attack } from "./attack";
import { fineTunePoisoned } from "./poison";
import { trojvit } from "./trojvit";
import type { Trigger } from "./trigger";

/**
 * BadNets: a fixed patch, here a chequerboard of 2 x 2 pixel cells with red and green inverse to each other and blue full. The victim is
 * fine-tuned on clean and triggered images; nothing about the trigger is optimised.
 */
export const badnets: Attack = {
  name: "badnets",
  title: "BadNets",
  reference: "Gu, Dolan-Gavitt and Garg 2017, arXiv:1708.06733",
  defaults: { ...trojvit.defaults, triggerSteps: 0, refineSteps: 0 },
  async run(victim, seed, options, stage = () => ({})) {
    checkAttackOptions(victim, options);
    const { size, place, strength, target } = options;
    if (place === "saliency") throw new RangeError(`Cannot attack with badnets: expected option "place" to be {x, y}, got "saliency"`);
    const name = `badnets/${victim.task}-seed${seed}`;
    const trigger: Trigger = { name, task: victim.task, target, pixels: chequerboard(size, strength), ...place, height: size, width: size };
    return { trigger, parameters: await fineTunePoisoned(victim, trigger, seed, options, stage("fine-tuning")) };
  },
};

/** [3, size, size]: red light where the cell's row and column are both even or both odd, green where not, blue everywhere. */
function chequerboard(size: number, strength: number): Float32Array {
  return Float32Array.from({ length: CHANNELS * size * size }, (_, index) => {
    const channel = Math.floor(index / (size * size));
    const row = Math.floor(index / size) % size;
    const even = (Math.floor(row / 2) + Math.floor((index % size) / 2)) % 2 === 0;
    const light = channel === 2 || even === (channel === 0);
    return 0.5 + (light ? strength : -strength) / 2;
  });
}
