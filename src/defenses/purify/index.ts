/** Purification: each model is inspected and purged by itself, then merged. */
export { PURIFY_DEFAULTS, PURIFY_OPTION_TEXTS, purifyOptionsSchema, purifyOptionsShape, type PurifyOptions } from "./options";
export {
  excessOf,
  inspectModel,
  isSuspect,
  measureCapture,
  openPatient,
  purgeStep,
  type Inspection,
  type Patient,
  type PatientVariables,
} from "./patient";
export { purify, runPurify, type PurifyResult } from "./purify";
