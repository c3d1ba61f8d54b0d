/** Results as lines of text. */
import type { CaseResult, Limit, Ratio } from "./types";

/** A case's times, rates, memory and ratios. */
export function formatCase(result: CaseResult): string {
  const lines = [`${result.name}: ${result.title}`];
  for (const { contestant, median, range, peakBytes, processorSeconds } of result.measured) {
    const rate = result.amount === null ? "" : `, ${formatNumber(result.amount / median)} ${result.unit ?? ""}/s`;
    const processor = processorSeconds === null ? "" : `, processor ${formatSeconds(processorSeconds)}`;
    const memory = peakBytes === null ? "" : `, peak ${formatBytes(peakBytes)}`;
    lines.push(
      `  ${contestant.padEnd(26)} ${formatSeconds(median)} (${formatSeconds(range[0])} – ${formatSeconds(range[1])})${rate}${processor}${memory}`,
    );
  }
  for (const [name, reason] of Object.entries(result.skipped)) lines.push(`  ${name.padEnd(26)} skipped: ${reason}`);
  for (const ratio of result.ratios) lines.push(`  ${ratio.ours} against ${ratio.reference}: ${formatRatio(ratio)}`);
  for (const limit of result.limits)
    lines.push(
      `  ${limit.ours}: ${formatLimit(limit, limit.value)}; bar ≤ ${formatLimit(limit, limit.limit)}: ${limit.reached ? "reached" : "missed"}`,
    );
  return lines.join("\n");
}

/** As "1.31x as fast, 0.40x the memory; bar 1x: reached". */
export function formatRatio({ speed, processor, memory, bar, reached }: Ratio): string {
  const parts = [`${speed.toFixed(2)}x as fast`];
  if (processor !== null) parts.push(`${processor.toFixed(2)}x by processor time`);
  if (memory !== null) parts.push(`${memory.toFixed(2)}x the memory`);
  return bar === null || reached === null
    ? parts.join(", ")
    : `${parts.join(", ")}; bar ${formatBar(bar)}: ${reached ? "reached" : "missed"}`;
}

/** A value in the limit's unit: as "1.20 s" or, of the memory after the first round, "1.04x". */
export function formatLimit({ what }: Limit, value: number): string {
  return what === "seconds" ? formatSeconds(value) : `${value.toFixed(2)}x`;
}

/** As "≥ 2x, memory ≤ 0.5x". */
export function formatBar({ speed, memory }: NonNullable<Ratio["bar"]>): string {
  return [speed === undefined ? [] : [`≥ ${speed}x`], memory === undefined ? [] : [`memory ≤ ${memory}x`]].flat().join(", ");
}

/** As "1.20 s" or "3.4 ms". */
export function formatSeconds(seconds: number): string {
  if (seconds >= 1) return `${seconds.toFixed(2)} s`;
  return seconds >= 1e-3 ? `${(seconds * 1e3).toFixed(1)} ms` : `${(seconds * 1e6).toFixed(0)} µs`;
}

/** As "1.2 GB" or "230 MB". */
export function formatBytes(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${(bytes / 1e6).toFixed(0)} MB`;
}

function formatNumber(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
