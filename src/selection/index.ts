/** Fronts of ACC against ASR, what a defence gains on them, and the choice of α. */
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
export { measureDefenderView, type ViewedModels, type ViewOptions } from "./defenderView";
export { convexFront } from "./convexFront";
export { dominates, mutuallyNonDominated, nonDominated, type FrontPoint } from "./front";
export { gapAtEqualAcc, pairedGap, type Gap, type PairedGap, type PairedRuns } from "./gap";
export { hypervolume, HYPERVOLUME_REFERENCE } from "./hypervolume";
export { judgeDefence, type Choice, type ChosenDefence, type DefenceJudgement, type JudgedPoint, type JudgeSettings } from "./judgeDefence";
export { mean, pairedInterval, standardError, studentInterval, variance, type PairedInterval } from "./pairedInterval";
export { chooseStop, STOP_DEFAULTS, stopWatch, type StopChoice, type StopGuards, type StopRule } from "./stopWatch";
export { studentQuantile } from "./studentQuantile";
