/** Composable steps of a notebook: typed, cached by content, resumable, with progress, provenance and a display. */
export { adaptModels, type Adapted, type AdaptModelsParameters } from "./adaptModels";
export type { AdaptationParameters, AdaptedModel } from "./adaptation";
export { buildDualMasks, type BuildDualMasksParameters, type BuiltDualMasks, type DualMasks, type MaskOptions } from "./buildDualMasks";
export { canonicalJson } from "./canonicalJson";
export { defineCell, type Cell, type CellDefinition, type Result } from "./cell";
export type { CellCheckpoint, CellContext } from "./cellContext";
export type { CellHelp } from "./cellDisplay";
export {
  evaluate,
  predict,
  type EvaluateParameters,
  type Evaluation,
  type JudgedModel,
  type PredictParameters,
  type Predictions,
} from "./evaluate";
export { loadModel, type ModelPlace } from "./loadModel";
export { maskReport, type MaskReport, type MaskReportParameters } from "./maskReport";
export { metaOptimize, type Defended, type DefendedModel, type MetaOptimizeParameters } from "./metaOptimize";
export { mergeModels, type Merged, type MergedModel, type MergeModelsParameters } from "./mergeModels";
export { notebookShowSymbol, show } from "./notebook";
export type { ParameterHelp } from "./parameters";
export { plotParetoFront, type FrontPlot, type PlotParetoFrontParameters } from "./plotParetoFront";
export { plotReport, type PlotReportParameters, type PlottedReports, type ReportPlot, type ReportWithFloor } from "./plotReport";
export { provenanceOf, type Provenance } from "./provenance";
export { purifyTaskVectors, type Purified, type PurifiedTaskVectors, type PurifyTaskVectorsParameters } from "./purifyTaskVectors";
export { meanAttackSuccess, reportTable, type NamedReports } from "./reportTable";
export { defaultCacheFolder, ResultCache, type CacheAddress, type CacheSize } from "./resultCache";
export { configureCells, type CellSettings } from "./settings";
export { loadSuite, type LoadedSuite, type Suite, type SuiteModel, type SuiteTask } from "./suite";
export { sweepAlpha, type SweepAlphaParameters, type SweptAlpha } from "./sweepAlpha";
export { SWEEP_SCALES } from "./sweepScales";
export { sweepTable } from "./sweepTable";
export type { Sweep, SweepPoint } from "./sweepTypes";
export {
  loadTaskVectors,
  subtractPretrained,
  type FinetunedModel,
  type LoadedTaskVectors,
  type LoadTaskVectorsParameters,
  type TaskVectors,
} from "./taskVectors";
export { closeSharedWorkers } from "./workers";
export {
  checkClaims,
  claimsMime,
  type CheckClaimsParameters,
  type CheckedClaims,
  type Claim,
  type JudgedClaim,
  type Verdict,
} from "./checkClaims";
export { chooseScaling, type ChooseScalingParameters, type ChosenScaling } from "./chooseScaling";
export { compareIndividuals, type ComparedIndividuals, type CompareIndividualsParameters } from "./compareIndividuals";
export { comparePruned, type PrunedByAttack } from "./comparePruned";
export { compareCheckpoints, type CheckpointComparison, type ComparedCheckpoints } from "./compareCheckpoints";
export { evaluateIndividuals, type EvaluateIndividualsParameters } from "./evaluateIndividuals";
export { findingDifference, type Finding } from "./finding";
export { judgedPoints } from "./judgedPoints";
export { judgeSweeps, type JudgeSweepsParameters, type SweepJudgement } from "./judgeSweeps";
export { plotHistory, type HistoryPlot, type PlotHistoryParameters } from "./plotHistory";
export { plotMethods, type ComparedSweeps, type MethodFinding, type MethodsPlot, type PlotMethodsParameters } from "./plotMethods";
export { sketchTradeoff, type TradeoffSketch } from "./sketchTradeoff";
export { plotOver, type OverPlot, type PlotOverParameters } from "./plotOver";
export { plotTransfer, type PlotTransferParameters, type TransferPlot, type TransferReports } from "./plotTransfer";
export { saveFigures, type SavedFigures, type SaveFiguresParameters } from "./saveFigures";
// For declaring the parameters of an own cell: the very library that checks them.
export { z } from "zod";
