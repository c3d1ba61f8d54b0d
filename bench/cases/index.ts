/** All cases, in the order of the report. */
import type { BenchCase } from "../harness/types";
import { damStepCases } from "./damStep";
import { encoderCases } from "./encoder";
import { gpuCases } from "./gpu";
import { memoryCases } from "./memory";
import { mergeCases } from "./merges";
import { mergeSpaceCases } from "./mergeSpace";
import { startCases } from "./starts";

/** What `npm run bench` measures. */
export const BENCH_CASES: readonly BenchCase[] = [
  ...damStepCases,
  ...encoderCases,
  ...mergeSpaceCases,
  ...mergeCases,
  ...startCases,
  ...memoryCases,
  ...gpuCases,
];
