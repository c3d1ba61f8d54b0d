import { badnets } from "./badnets";
import { trojvit } from "./trojvit";

export type { Attack, AttackOptions, Backdoor, TriggerPlace, Victim } from "./attack";
export { badnets } from "./badnets";
export { clampPixels, optimizeTrigger, salientPlace, type TowerOfStep } from "./optimizeTrigger";
export { fineTunePoisoned, triggeredBatches } from "./poison";
export { attackableImages, loadTriggerPixels, pasteTrigger, saveTrigger, type Trigger } from "./trigger";
export { trojvit } from "./trojvit";

/** All attacks by name. */
export const ATTACKS = { trojvit, badnets } as const;
