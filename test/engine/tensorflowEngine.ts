/** A process computes with TensorFlow either on the processor or on the GPU: under DAMLAB_ENGINE=gpu tests of `native` try `gpu` instead. */
export const TENSORFLOW_ENGINE = process.env["DAMLAB_ENGINE"] === "gpu" ? "gpu" : "native";
