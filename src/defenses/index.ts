/** Defences of our own and of others beside DAM, and the table of all methods. */
export { allMethods } from "./allMethods";
export { DEFENCES } from "./defences";
export { describeMethods } from "./describeMethods";
export {
  excessOf,
  inspectModel,
  isSuspect,
  measureCapture,
  openPatient,
  PURIFY_DEFAULTS,
  PURIFY_OPTION_TEXTS,
  purify,
  purifyOptionsSchema,
  purifyOptionsShape,
  purgeStep,
  runPurify,
  type Inspection,
  type Patient,
  type PatientVariables,
  type PurifyOptions,
  type PurifyResult,
} from "./purify";
