import { inspect } from "node:util";
import type { z } from "zod";
import type { Displayable, MimeBundle } from "../display/mime";
import { displaySymbol } from "../display/mime";
import type { ParameterHelp } from "./parameters";
import { describeParameters } from "./parameters";
import { displayInTslab, runningTslab } from "./notebook";
import type { Provenance } from "./provenance";

/** What there is to know about a cell. */
export interface CellHelpContent {
  readonly cell: string;
  readonly version: string;
  readonly summary: string;
  readonly inputs: readonly string[];
  readonly parameters: readonly ParameterHelp[];
}

/** What `help()` of a cell says; shows itself. */
export type CellHelp = CellHelpContent & Displayable;

/** The help of a cell. */
export function cellHelp(
  { name, summary, inputs, parameters }: { name: string; summary: string; inputs: readonly string[]; parameters: z.ZodObject },
  version: string,
): CellHelp {
  const help = { cell: name, version, summary, inputs: [...inputs], parameters: describeParameters(parameters) };
  return attachDisplay(
    help,
    () => Promise.resolve({ "text/plain": helpText(help), "text/html": helpHtml(help) }),
    () => helpText(help),
  );
}

/**
 * Makes an object show itself: as a MIME bundle through `Symbol.for("Jupyter.display")`; and where it is only printed, as text, or in a
 * stock tslab kernel through tslab's display, if `prepareDisplay()` has been called.
 * @param bundle Called when it is shown; `text/plain` is added where it lacks it.
 * @param text What is printed.
 */
export function attachDisplay<T extends object>(
  value: T,
  bundle: () => Promise<Partial<MimeBundle> | undefined>,
  text: () => string,
): T & Displayable {
  const complete = async (): Promise<MimeBundle> => ({ "text/plain": text(), ...(await bundle()) });
  // Not enumerable, so that a result's JSON and its copies are data alone.
  Object.defineProperty(value, displaySymbol, { value: complete });
  Object.defineProperty(value, inspect.custom, {
    value: () => {
      const tslab = runningTslab();
      const ready = prepared.get(value);
      // What was shown needs no words beside it, but the line that names it.
      const shown = tslab !== undefined && ready !== undefined && displayInTslab(tslab, ready);
      return shown && "provenance" in value ? resultText(value as { provenance: Provenance }) : text();
    },
  });
  return value as T & Displayable;
}

const prepared = new WeakMap<object, MimeBundle>();

/** In a stock tslab kernel, makes a value's bundle now: when such a kernel prints the value of a cell, it does not wait. */
export async function prepareDisplay(value: Displayable): Promise<void> {
  if (runningTslab() !== undefined) prepared.set(value, await value[displaySymbol]());
}

/** One line: which cell, with which parameters, and what the result holds. */
export function resultText(result: { readonly provenance: Provenance }): string {
  const { cell, parameters, key } = result.provenance;
  const settings = Object.entries(parameters).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  const fields = Object.keys(result).filter((name) => name !== "provenance");
  return `${cell}(${settings.join(", ")}) → ${fields.join(", ")}  [${key.slice(0, 12)}]`;
}

function helpText({ cell, version, summary, inputs, parameters }: CellHelpContent): string {
  const rows = parameters.map(({ name, type, default: preset, description }) => [`  ${name}`, type, preset ?? "required", description]);
  const widths = [0, 1, 2].map((column) => Math.max(0, ...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return [`${cell}(${[...inputs, "parameters"].join(", ")})  version ${version}`, summary, ...lines].join("\n");
}

function helpHtml({ cell, version, summary, inputs, parameters }: CellHelpContent): string {
  const row = (texts: readonly string[], tag: string): string =>
    `<tr>${texts.map((text) => `<${tag} style="text-align:left">${escape(text)}</${tag}>`).join("")}</tr>`;
  const rows = parameters.map(({ name, type, default: preset, description }) => row([name, type, preset ?? "required", description], "td"));
  const head = row(["parameter", "type", "default", "meaning"], "th");
  const title = `<code>${escape(`${cell}(${[...inputs, "parameters"].join(", ")})`)}</code> version ${escape(version)}`;
  return `<p>${title}<br>${escape(summary)}</p><table><thead>${head}</thead><tbody>${rows.join("")}</tbody></table>`;
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[character]!);
}
