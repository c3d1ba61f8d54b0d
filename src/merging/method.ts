import type { z } from "zod";
import type { MergingKernel } from "./kernel";

/** What every row of the method table says of itself. */
interface MethodRow<Options extends object> {
  /** As in recipes: `task_arithmetic`. */
  readonly name: string;
  /** As in tables: `Task Arithmetic`. */
  readonly title: string;
  /** Authors, year, arXiv number. */
  readonly reference: string;
  /** Strict schema of the options, with a default for each. */
  readonly options: z.ZodType<Options>;
  readonly defaults: Options;
  /** One line about each option, for help and documentation. */
  readonly texts: { readonly [option in keyof Options]: string };
}

/** A method that looks at nothing but parameters. */
export interface DataFreeMethod<Options extends object> extends MethodRow<Options> {
  readonly kind: "data-free";
  /** @param models Number of models that are merged, at least 1. */
  kernel(options: Options, models: number): MergingKernel;
}

/**
 * A method that also looks at unlabelled images: its recipes may name a `suite`, a `seed` and the `tasks` of the models. Such rows are added
 * to the table by the rooms that own them; `Context` is what those rooms need, and how they are run is theirs.
 */
export interface TestTimeMethod<Options extends object, Context = never, Result = unknown> extends MethodRow<Options> {
  readonly kind: "test-time";
  merge(context: Context, options: Options): Promise<Result>;
}

/** A row of any option type, as tables hold it; its own schema checks the options before they reach it. */
export type MergingMethod = DataFreeMethod<object> | TestTimeMethod<object>;
