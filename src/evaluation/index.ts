export { deskImages, type DeskImages } from "./images";
export { bootstrapAverage, quantile, wilsonInterval, type BootstrapOptions, type Interval } from "./intervals";
export { createEvaluationWorkers, predictModel, type EvaluationTask, type HostModel, type PredictOptions } from "./predictModel";
export { planTriggers, type WantedTriggers } from "./plan";
export { predictTask, PREDICTION_BATCH, type TaskImages } from "./predictTask";
export { accuracy, attackSuccessRate, classRate, flipRate, rate, type Classes, type Rate } from "./rates";
export {
  latentTrigger,
  reportPredictions,
  type Attacked,
  type Averages,
  type EvaluationReport,
  type ReportOptions,
  type TaskPredictions,
  type TaskReport,
  type TriggerReport,
} from "./report";
