/** Worker entry: one task's predictions. */
import { startWorkerEngine } from "../engine";
import { disposeParameters, uploadParameters } from "../models/parameters";
import { loadImages } from "./images";
import { STOPPED, type PredictRequest } from "./predictModel";
import { predictTask } from "./predictTask";
import type { TaskPredictions } from "./report";

/** Runs `predictTask` on this thread's engine. */
export async function predictPiece({ model, task, control }: PredictRequest): Promise<TaskPredictions<Int32Array>> {
  await startWorkerEngine();
  const images = loadImages(task.images);
  const parameters = uploadParameters(model.parameters);
  try {
    return await predictTask(parameters, model.config, { images, head: task.head }, task.triggers, {
      onImages: (count) => {
        Atomics.add(control, 0, count);
        if (Atomics.load(control, 1) === 1) throw new Error(STOPPED);
      },
    });
  } finally {
    disposeParameters(parameters);
  }
}
