import { IMAGE_SIZE, MEAN, STD } from "../tasks";

/** The `preprocessor_config.json` of the desk models: images of 32 pixels, normalised to [-2, 2]. */
export const PREPROCESSOR_CONFIG = {
  image_processor_type: "CLIPImageProcessor",
  do_convert_rgb: true,
  do_resize: true,
  size: { shortest_edge: IMAGE_SIZE },
  resample: 3,
  do_center_crop: true,
  crop_size: { height: IMAGE_SIZE, width: IMAGE_SIZE },
  do_rescale: true,
  rescale_factor: 1 / 255,
  do_normalize: true,
  image_mean: [MEAN, MEAN, MEAN],
  image_std: [STD, STD, STD],
} as const;
