/** CLIP vision towers as pure functions of (parameters, pixels); image preprocessing; zero-shot heads. */
export { cosineLogits, crossEntropy, normalizeRows } from "./classLogits";
export { formatVisionConfig, parseVisionConfig, tokenCount, type VisionConfig } from "./config";
export { decodeImage, type AlphaHandling } from "./decodeImage";
export { loadVisionModel, type VisionModel } from "./loadVisionModel";
export { disposeParameters, downloadParameters, uploadParameters } from "./parameters";
export { preprocessImage, preprocessImages } from "./preprocess";
export { CLIP_PREPROCESSING, parsePreprocessorConfig, type PreprocessConfig } from "./preprocessConfig";
export { resizeBicubic, type RgbImage } from "./resample";
export { embedImages, visionParameterShapes, type Parameters } from "./vision";
export { classLogits, loadZeroShotHead, saveZeroShotHead, type ZeroShotHead } from "./zeroShot";
