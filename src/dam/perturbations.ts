/** What the defender synthesises against the merged model: perturbations of images, not the attacker's trigger. */
import type { VisionConfig } from "../models";
import type { Normalization, PassResult } from "../merging/adaptive";
import { noisePerturbations } from "./noise";
import type { DamOptions } from "./options";
import { stickerPerturbations } from "./stickers";
import { tournamentStickers } from "./tournament";

/** A kind of perturbation at work; its values lie in one array, so that they can be saved. */
export interface Perturbations {
  /** The values before the first step. */
  start(): Float32Array;
  /** Perturbed copies of the tasks' batches, in the valid pixel range. Sizes and places depend on the phase and the step. */
  apply(values: Float32Array, batches: readonly Float32Array[], phase: string, step: number): Float32Array[];
  /** One ascent step, in place, by what a pass of the perturbed batches of `apply` with the same phase and step found. */
  ascend(values: Float32Array, perturbed: readonly Float32Array[], found: PerturbedPass, phase: string, step: number): void;
}

/** What a kind of perturbation learns from a pass. */
export type PerturbedPass = Pick<PassResult, "pixelGradients" | "imageLosses">;

/** What a kind of perturbation needs to know. */
export interface PerturbationSetting {
  readonly tasks: readonly string[];
  readonly seed: number;
  readonly imageSize: number;
  readonly normalization: Normalization;
}

/** The kind that the options name. */
export function createPerturbations(
  options: DamOptions,
  config: VisionConfig,
  setting: Omit<PerturbationSetting, "imageSize">,
): Perturbations {
  const whole = { ...setting, imageSize: config.imageSize };
  if (options.perturbation === "noise") return noisePerturbations(options, whole);
  return options.placement === "tournament" ? tournamentStickers(options, whole) : stickerPerturbations(options, whole);
}
