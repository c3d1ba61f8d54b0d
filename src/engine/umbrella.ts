import { createRequire } from "node:module";

/**
 * TensorFlow.js' umbrella package, which registers the gradients of the built-in operations; the core alone has none. It takes longer to load
 * than all of damlab, so it is loaded with the engine.
 */
export function loadTensorflowJs(): object {
  return createRequire(__filename)("@tensorflow/tfjs") as object;
}
