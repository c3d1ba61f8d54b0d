import { z } from "zod";
import { formatNumber, formatPercent, makeTable, tableToHtml, type Table } from "../figures";
import { defineCell, type Cell } from "./cell";
import type { Finding } from "./finding";

/** MIME type under which a notebook's output carries its claims as JSON, for `damlab claims`. */
export const claimsMime = "application/vnd.damlab.claims+json";

/** One claim of the paper, and what was measured here. */
export interface Claim {
  /** What is claimed, in one sentence. */
  readonly claim: string;
  /** Where: "Fig. 2, caption". */
  readonly source: string;
  /** What was measured. */
  readonly found?: Finding | null;
  /** The claim holds if the measured value lies above, below, or between these; in the finding's unit (fractions). */
  readonly expect?: { readonly above?: number; readonly below?: number };
  /** What was measured, in words; or why the claim can't be tested here. */
  readonly note: string;
}

/** How a claim stands. */
export type Verdict = "agrees" | "does not" | "not testable here";

/** A claim with its verdict. */
export interface JudgedClaim extends Claim {
  readonly id: string;
  /** The measured value with its interval, as text; "–" where nothing was measured. */
  readonly measured: string;
  readonly verdict: Verdict;
}

/** All claims of one notebook. */
export interface CheckedClaims {
  readonly notebook: string;
  /** Whether the numbers are of a short run, which says nothing of the claims. */
  readonly short: boolean;
  readonly claims: readonly JudgedClaim[];
  readonly table: Table;
}

/** Parameters of `checkClaims`. */
export interface CheckClaimsParameters {
  /** Name of the notebook, such as "02-succession". */
  notebook: string;
  /** Whether the numbers are of a short run. */
  short?: boolean | undefined;
}

/**
 * Holds measured quantities against the paper's claims. A claim agrees if the value, and the whole of its interval where it has one, lies on
 * the claimed side; it does not if they lie on the other side; an interval that reaches over both sides tests nothing.
 */
export const checkClaims: Cell<[claims: Readonly<Record<string, Claim>>], CheckClaimsParameters, CheckedClaims> = defineCell({
  name: "checkClaims",
  version: 2,
  summary: "Measured quantities against the paper's claims",
  inputs: ["claims"],
  cache: false,
  engine: false,
  parameters: z.object({
    notebook: z.string().min(1).describe("name of the notebook"),
    short: z.boolean().default(false).describe("whether the numbers are of a short run"),
  }),
  run([claims]: [claims: Readonly<Record<string, Claim>>], { notebook, short }) {
    const judged = Object.entries(claims).map(([id, claim]): JudgedClaim => {
      const verdict = judgeClaim(claim);
      const reaches = verdict === "not testable here" && claim.found && claim.expect ? "; the interval reaches both sides" : "";
      return { id, ...claim, note: `${claim.note}${reaches}`, measured: writeFinding(claim.found ?? null), verdict };
    });
    const table = makeTable({
      ...(short && { caption: "Of a short run: says nothing of the claims" }),
      columns: [
        { key: "claim", title: "Claim" },
        { key: "source", title: "Paper" },
        { key: "measured", title: "Here" },
        { key: "verdict", title: "Verdict" },
        { key: "note", title: "What was measured" },
      ],
      rows: judged.map(({ claim, source, measured, verdict, note }) => ({ claim, source, measured, verdict, note })),
    });
    return { notebook, short, claims: judged, table };
  },
  text: ({ table }) => table.toString(),
  display: ({ notebook, short, claims, table, provenance }) => ({
    "text/html": tableToHtml(table),
    [claimsMime]: { notebook, short, claims, damlab: provenance.damlab },
  }),
});

function judgeClaim({ found, expect }: Claim): Verdict {
  if (!found || !expect) return "not testable here";
  const { above = -Infinity, below = Infinity } = expect;
  const [low, high] = found.interval ?? [found.value, found.value];
  if (low > above && high < below) return "agrees";
  return high <= above || low >= below ? "does not" : "not testable here";
}

/** "61.2 % [58.0, 64.1], 3 runs"; points for differences of rates. */
export function writeFinding(finding: Finding | null): string {
  if (finding === null) return "–";
  const { value, interval, count, over, unit } = finding;
  const write = (number: number): string => (unit === "number" ? formatNumber(number, 3) : formatPercent(number));
  const suffix = unit === "rate" ? " %" : unit === "points" ? " points" : "";
  const ends = interval === null ? "" : ` [${write(interval[0])}, ${write(interval[1])}]`;
  return `${write(value)}${suffix}${ends}, ${count === 1 ? `1 ${over.slice(0, -1)}` : `${count} ${over}`}`;
}
