import type { RandomStream } from "../engine/random";
import type { Picture } from "./canvas";

/** One class of a procedural task: what it is called, what it looks like, and how one picture of it is drawn. */
export interface ImageClass {
  readonly name: string;
  /** One line for people. */
  readonly description: string;
  /** Draws one picture; all that varies comes from `random`. The camera's gain and noise come afterwards. */
  readonly draw: (random: RandomStream) => Picture;
}

/** A task whose pictures are drawn by seeded code. */
export interface Generator {
  readonly classes: readonly ImageClass[];
  /** Standard deviation of the camera's noise. */
  readonly noise: number;
}
