/** Fronts of ACC against ASR, what a defence gains on them, and the choice of α. Plain data. */
export { checkAlphaControl, pooledStandardError, type AlphaControl, type AlphaRuns, type AlphaStep } from "./alphaControl";
export { asrAtAcc, type EnvelopeValue } from "./baselineEnvelope";
export {
  chooseAlpha,
  oracleAlpha,
  type AlphaChoice,
  type Candidate,
  type ChoiceRule,
  type DefenderView,
  type JudgedCandidate,
} from "./chooseAlpha";
export { dominates, mutuallyNonDominated, nonDominated, type FrontPoint } from "./front";
export { gapAtEqualAcc, pairedGap, type Gap, type PairedGap, type PairedRuns } from "./gap";
export { hypervolume, HYPERVOLUME_REFERENCE } from "./hypervolume";
export { mean, pairedInterval, standardError, studentInterval, variance, type PairedInterval } from "./pairedInterval";
export { studentQuantile } from "./studentQuantile";
