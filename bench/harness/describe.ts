/** Where a run took place; nothing that dates it. */
import { availableParallelism, cpus, release, totalmem, type } from "node:os";
import { damlabVersion } from "../../src/engine/version";
import type { BenchReport, CaseResult } from "./types";

/** Processor, threads, memory, system. */
export function describeMachine(): BenchReport["machine"] {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    threads: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${type()} ${release()}`,
  };
}

/** Versions of damlab, of Node and of what the contestants named. */
export function describeVersions(results: readonly CaseResult[]): Record<string, string> {
  const named = results.flatMap(({ measured }) =>
    measured.flatMap(({ facts }) => Object.entries(facts).filter((fact): fact is [string, string] => typeof fact[1] === "string")),
  );
  return { damlab: damlabVersion(), node: process.version, ...Object.fromEntries(named) };
}
