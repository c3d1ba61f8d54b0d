import type { Figure } from "./figure";
import { figureToHtml, pageOf } from "./render/page";
import { escapeHtml, tableToHtml } from "./tables/html";
import type { Table } from "./tables/table";

/** One piece of a report. All text is plain text and is escaped. */
export type ReportBlock =
  | { readonly heading: string }
  | { readonly paragraph: string }
  | { readonly list: readonly string[] }
  | { readonly code: string }
  | { readonly link: string; readonly href: string }
  | { readonly table: Table }
  | { readonly figure: Figure };

/** A report: what `report.html` says. */
export interface Report {
  readonly title: string;
  readonly blocks: readonly ReportBlock[];
  /** Small print at the end, such as versions and timings. */
  readonly footer?: string;
  /** Language of the text, default "en". */
  readonly lang?: string;
}

/**
 * A report as one self-contained page: works offline, on a phone, printed, in light and dark, and without scripts (then with static
 * figures). plotly's library (4.8 MB) is inside once, and only if there is a figure.
 * @throws {TypeError} if a link's address is neither http(s) nor relative.
 */
export async function renderReport(report: Report): Promise<string> {
  const parts = [`<h1>${escapeHtml(report.title)}</h1>`];
  let figures = 0;
  for (const block of report.blocks) parts.push("figure" in block ? await figureToHtml(block.figure, ++figures) : blockToHtml(block));
  if (report.footer !== undefined) parts.push(`<footer>${escapeHtml(report.footer)}</footer>`);
  return pageOf({ title: report.title, lang: report.lang ?? "en", body: parts.join("\n"), interactive: figures > 0 });
}

/** Figures alone as one self-contained page; plotly's library is inside once. @param options.title default: the first figure's title. */
export async function renderHtml(figures: Figure | readonly Figure[], options: { title?: string; lang?: string } = {}): Promise<string> {
  const list = Array.isArray(figures) ? (figures as readonly Figure[]) : [figures as Figure];
  const title = options.title ?? list.find((figure) => figure.title !== "")?.title ?? "Figures";
  const drawn: string[] = [];
  for (const [index, figure] of list.entries()) drawn.push(await figureToHtml(figure, index + 1));
  const heading = list.length === 1 && list[0]?.title === title ? "" : `<h1>${escapeHtml(title)}</h1>\n`;
  return pageOf({ title, lang: options.lang ?? "en", body: heading + drawn.join("\n"), interactive: list.length > 0 });
}

function blockToHtml(block: Exclude<ReportBlock, { readonly figure: Figure }>): string {
  if ("heading" in block) return `<h2>${escapeHtml(block.heading)}</h2>`;
  if ("paragraph" in block) return `<p>${escapeHtml(block.paragraph)}</p>`;
  if ("list" in block) return `<ul>${block.list.map((item) => `<li>${escapeHtml(item)}</li>`).join("")}</ul>`;
  if ("code" in block) return `<pre tabindex="0"><code>${escapeHtml(block.code)}</code></pre>`;
  if ("table" in block) return tableToHtml(block.table);
  if (/^[a-z][a-z0-9+.-]*:/i.test(block.href) && !/^https?:/i.test(block.href)) {
    throw new TypeError(`Cannot write link "${block.link}": expected an http(s) or relative address, got ${block.href}`);
  }
  return `<p><a href="${escapeHtml(block.href)}">${escapeHtml(block.link)}</a></p>`;
}
