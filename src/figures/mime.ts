import { displaySymbol, type Displayable, type MimeBundle } from "../display/mime";
import type { Figure, Specification } from "./figure";
import { renderPng } from "./render/image";
import { plotlyScript, scriptJson } from "./render/page";
import { escapeHtml } from "./tables/html";

/**
 * All formats of a figure for notebooks. The HTML shows the PNG, and becomes interactive where plotly is on the page already
 * (see `plotlyLibrary`), so that plotly's 4.8 MB are never repeated in each output. The PNG in the HTML has twice the pixels, for fine screens;
 * the one beside it has as many as the figure is wide, since some front ends show each as one of the screen's.
 */
export async function figureToMime(figure: Figure): Promise<MimeBundle> {
  const { specification } = figure;
  const [plain, fine] = await Promise.all([1, 2].map(async (scale) => (await renderPng(figure, { scale })).toString("base64")));
  return {
    "application/vnd.plotly.v1+json": { data: specification.data, layout: specification.layout, config: specification.config },
    "text/html": notebookHtml(figure, specification, fine!),
    "image/png": plain,
    "text/plain": [figure.title, figure.alt, figure.caption].filter((line) => line !== "").join("\n"),
  };
}

/**
 * Plotly's library as a value to be shown once in a notebook, before the figures: figures shown after it in HTML are interactive, offline.
 * Without it they are static pictures.
 */
export function plotlyLibrary(): Displayable {
  return {
    [displaySymbol]: (): MimeBundle => ({
      "text/html": `${plotlyScript()}<small>Figures below are interactive.</small>`,
      "text/plain": "Figures below are interactive.",
    }),
  };
}

function notebookHtml(figure: Figure, specification: Specification, png: string): string {
  const picture = `<img src="data:image/png;base64,${png}" width="${figure.width}" style="max-width:100%;height:auto;background:#fff" alt="${escapeHtml(figure.alt)}">`;
  const json = scriptJson({ data: specification.data, layout: specification.layout, config: specification.config });
  // The element is found from the script itself, so that outputs need no identifiers, which would differ between runs.
  return (
    `<div class="damlab-figure">${picture}` +
    `<script>(function(script){if(!window.Plotly||!script)return;var host=script.parentNode,picture=host.querySelector("img"),live=document.createElement("div"),spec=${json};` +
    `host.appendChild(live);window.Plotly.newPlot(live,spec.data,spec.layout,spec.config).then(function(){picture.style.display="none"},function(){live.remove()})})(document.currentScript)</script></div>`
  );
}
