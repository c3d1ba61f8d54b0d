/** The scales at which baselines are run, unless others are given: λ where a method has one, else factors of its final coefficients. */
export const SWEEP_SCALES: Readonly<Record<string, readonly number[]>> = {
  average: [1],
  task_arithmetic: [0.1, 0.15, 0.2, 0.25, 0.3, 0.4],
  ties: [0.2, 0.3, 0.4, 0.5],
  adamerging: [0.5, 0.6, 0.7, 0.8, 0.9, 1],
  adamerging_taskwise: [0.5, 0.6, 0.7, 0.8, 0.9, 1],
  concrete_task_arithmetic: [0.5, 0.6, 0.7, 0.8, 0.9, 1],
  concrete_adamerging: [0.5, 0.6, 0.7, 0.8, 0.9, 1],
};
