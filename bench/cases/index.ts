/** All cases, in the order of the report. */
import type { BenchCase } from "../harness/types";
import { damStepCases } from "./damStep";

/** What `npm run bench` measures. */
export const BENCH_CASES: readonly BenchCase[] = [...damStepCases];
