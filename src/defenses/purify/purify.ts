/**
 * @file Purification, a defence of our own: a backdoor that is hard to see in a merge is plain in the model that brings it. Each model is
 * inspected and purged by itself, before anything is merged.
 */
import type { HostTensor, NamedTensors } from "../../checkpoints";
import { parseOptions, type TestTimeMethod } from "../../merging";
import {
  adaptCoefficients,
  createMergeSpace,
  expandMask,
  keepVariable,
  layoutMask,
  mergedParameters,
  mergeTaskVectors,
  openGates,
  openWorkplace,
  resetOptimiser,
  runLoop,
  startCoefficients,
  storeTaskVector,
  startVariable,
  type AdaptationContext,
  type AdaptedMerge,
  type Loop,
  type MaskLayout,
  type StepNumbers,
  type Variable,
  type Workplace,
} from "../../merging/adaptive";
import { tournamentValueCount } from "../../dam";
import { findingLength, packFinding, unpackFinding } from "./finding";
import { PURIFY_DEFAULTS, PURIFY_OPTION_TEXTS, purifyOptionsSchema, type PurifyOptions } from "./options";
import {
  inspectModel,
  isSuspect,
  measureCapture,
  openPatient,
  purgeStep,
  type Inspection,
  type Patient,
  type PatientVariables,
} from "./patient";

/** What a run of purification found; the merge is that of the purified task vectors. */
export interface PurifyResult extends AdaptedMerge {
  /** g ⊙ τ of each model; of one that was not purged, τ itself. */
  readonly taskVectors: readonly NamedTensors[];
  /** What the stickers found in each model that was reached. */
  readonly inspections: readonly Inspection[];
  readonly options: PurifyOptions;
}

/** Purification as a row of the method table. */
export const purify: TestTimeMethod<PurifyOptions, AdaptationContext, PurifyResult> = {
  kind: "test-time",
  name: "purify",
  title: "Purified AdaMerging",
  reference: "damlab's own (docs/purification.md)",
  options: purifyOptionsSchema,
  defaults: PURIFY_DEFAULTS,
  texts: PURIFY_OPTION_TEXTS,
  merge: runPurify,
};

/**
 * Inspects and purges each model, then merges what is left of the task vectors by AdaMerging. Model by model:
 * 1. **Inspection.** Stickers compete to change the given model's own classes of its images (`tournamentStickers`). A backdoored model gives
 *    way to one of them altogether, and always to one class: `capture`.
 * 2. **Purging.** Gates g in (0, 1) on the model's task vector keep its classes of clean images and of images under stickers, which go on
 *    competing against θ0 + g ⊙ τ.
 *
 * No label, trigger or clean model is asked for; models do not see each other, so a model's purified vector does not depend on the merge.
 * @param given What is left out takes the defaults.
 * @throws {TypeError} or {RangeError} if an option, a model or a task does not fit; the signal's reason after an interrupt, unless the
 *   context asks for the result so far.
 */
export async function runPurify(models: AdaptationContext, given: Partial<PurifyOptions> = {}): Promise<PurifyResult> {
  const options = parseOptions(purify, given);
  const context = { ...models, taskVectors: models.taskVectors.map((vector) => storeTaskVector(vector, "float32")) };
  const run = openPurification(context, options);
  const { history, completed } = await runLoop(planPurification(run), context);
  const taskVectors = purifiedVectors(run);
  const inspections = context.tasks.flatMap((_, index) => readInspection(run, index) ?? []);
  const coefficients = { granularity: options.coefficients, values: run.variables.coefficients.values };
  const space = createMergeSpace(context.pretrained, taskVectors);
  const theta = mergeTaskVectors(space, coefficients, null);
  return {
    parameters: mergedParameters(space, theta),
    coefficients,
    mask: null,
    taskVectors,
    inspections,
    findings: { inspections: inspections.map(({ sticker: _, ...found }) => found) },
    options,
    history,
    completed,
  };
}

/** All models one after another, then λ. */
interface Purification {
  /** Task vectors in float32. */
  readonly context: Omit<AdaptationContext, "taskVectors"> & { readonly taskVectors: readonly NamedTensors[] };
  readonly options: PurifyOptions;
  readonly layout: MaskLayout;
  readonly variables: PatientVariables & {
    /** λ */
    readonly coefficients: Variable;
    /** Finished gates [models, logits]; 1 where nothing was taken out. */
    readonly kept: Variable;
    /** What was found in each model [models, `findingLength`]; −1 before. */
    readonly findings: Variable;
  };
}

function openPurification(context: Purification["context"], options: PurifyOptions): Purification {
  const { space } = openWorkplace(context, options.batchSize);
  const layout = layoutMask(space.layout, options.granularity, context.config);
  return {
    context,
    options,
    layout,
    variables: {
      gates: startVariable(new Float32Array(layout.logits)),
      stickers: keepVariable(new Float32Array(tournamentValueCount(options, 1))),
      coefficients: startVariable(startCoefficients(space, options.coefficients, options.initialCoefficient).values),
      kept: keepVariable(new Float32Array(space.tasks * layout.logits).fill(1)),
      findings: keepVariable(new Float32Array(space.tasks * findingLength(options)).fill(-1)),
    },
  };
}

function planPurification(run: Purification): Loop {
  const { context, options, variables } = run;
  const perModel = options.inspectSteps + options.purgeSteps;
  const models = context.taskVectors.length;
  let open: { readonly index: number; readonly patient: Patient } | undefined;
  let merged: Workplace | undefined;
  return {
    name: models === 1 ? `purifying ${context.tasks[0]!.name}` : "purification",
    steps: models * perModel + options.mergeSteps,
    variables: { ...variables },
    async step(step) {
      const index = Math.floor(step / perModel);
      if (index >= models) {
        merged ??= openWorkplace(context, options.batchSize, { taskVectors: purifiedVectors(run) });
        const phase = { ...options, granularity: options.coefficients, clamp: false, phase: "coefficients" };
        return { entropy: await adaptCoefficients(merged, phase, variables.coefficients, null, step - models * perModel) };
      }
      if (open?.index !== index) open = { index, patient: await openPatient(context, options, index) };
      return treat(run, open.patient, index, step % perModel);
    },
  };
}

/** One step of one model's treatment. */
async function treat(run: Purification, patient: Patient, index: number, step: number): Promise<StepNumbers> {
  const { options, variables } = run;
  if (step === 0) startTreatment(patient, variables);
  if (step < options.inspectSteps) {
    const numbers = await inspectModel(patient, variables, step);
    if (step < options.inspectSteps - 1) return numbers;
    const finding = await measureCapture(patient, variables.stickers.values);
    variables.findings.values.set(packFinding(finding), index * findingLength(options));
    const { sticker: _, ...found } = finding;
    return { ...numbers, ...found };
  }
  if (options.purge === "suspects" && !readInspection(run, index)!.suspect) return {};
  // Whatever step an interrupt comes after, what is kept so far counts.
  const gates = keptGates(run, index);
  if (step === options.inspectSteps) gates.set(openGates(variables.gates.values, options.temperature));
  return purgeStep(patient, variables, gates, step - options.inspectSteps);
}

/** Fresh gates, fresh stickers: a model's treatment does not depend on the models before it. */
function startTreatment({ stickers, options }: Patient, variables: PatientVariables): void {
  variables.gates.values.fill(options.initialLogit);
  resetOptimiser(variables.gates);
  variables.stickers.values.set(stickers.start());
}

/** What was found in a model; null before. */
function readInspection({ context, options, variables }: Purification, index: number): Inspection | null {
  const length = findingLength(options);
  const finding = unpackFinding(variables.findings.values.subarray(index * length, (index + 1) * length));
  if (finding === null) return null;
  const { sticker, ...found } = finding;
  return { task: context.tasks[index]!.name, ...found, suspect: isSuspect(found, options), sticker };
}

/** A model's part of `kept`. */
function keptGates({ layout, variables }: Purification, index: number): Float32Array {
  return variables.kept.values.subarray(index * layout.logits, (index + 1) * layout.logits);
}

/** g ⊙ τ of each model. */
function purifiedVectors(run: Purification): NamedTensors[] {
  const { context, layout } = run;
  return context.taskVectors.map((vector, index) => {
    const { layout: parameters } = createMergeSpace(context.pretrained, [vector]);
    const gates = keptGates(run, index);
    if (gates.every((gate) => gate === 1)) return vector;
    const factors = expandMask(layout, gates);
    const purified = new Map<string, HostTensor>(vector);
    for (const { name, shape, start } of parameters) {
      purified.set(name, { shape, values: vector.get(name)!.values.map((value, i) => value * factors[start + i]!) });
    }
    return purified;
  });
}
