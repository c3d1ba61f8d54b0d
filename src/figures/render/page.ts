import type { Figure } from "../figure";
import { escapeHtml } from "../tables/html";
import { darkInks } from "../theme";
import { drawFigure, fontFaces } from "./image";
import { plotlySource } from "./plotlyWindow";

/** Width in pixels below which a page shows the narrow drawing. */
const narrowBelow = 520;

/** JSON that can stand inside a script element. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value)
    .replace(/</g, "\\u003c")
    .replace(/\u2028/g, "\\u2028")
    .replace(/\u2029/g, "\\u2029");
}

/** Plotly's library as a script element; it sets `window.Plotly` even where a module loader is on the page. */
export function plotlyScript(): string {
  const source = plotlySource()
    .replace(/<\/script/gi, "<\\/script")
    .replace(/<!--/g, "<\\!--");
  return `<script>(function(){var define,module,exports;${source}\n}).call(window)</script>`;
}

/**
 * One figure for a page made with `pageOf`: a static drawing for printing and for readers without scripts, which the page's script
 * replaces by the interactive one; title and caption as page text.
 */
export async function figureToHtml(figure: Figure, index: number): Promise<string> {
  const { svg } = await drawFigure(figure, { words: false });
  const live = {
    wide: figure.draw({ width: figure.width, words: false }),
    narrow: figure.draw({ width: 350, words: false }),
  };
  const title = figure.title === "" ? "" : `<h3 id="figure-${index}-title">${escapeHtml(figure.title)}</h3>`;
  const caption = figure.caption === "" ? "" : `<figcaption>${escapeHtml(figure.caption)}</figcaption>`;
  return (
    `<figure id="figure-${index}"${title === "" ? "" : ` aria-labelledby="figure-${index}-title"`}>${title}` +
    `<div class="static">${svg}</div>` +
    `<div class="live" role="img" aria-label="${escapeHtml(figure.alt)}" hidden></div>` +
    `<script type="application/json">${scriptJson(live)}</script>${caption}</figure>`
  );
}

/** A whole page around an HTML body; the font and (with figures) plotly are inside, each once, so that it works offline. */
export function pageOf(page: { title: string; lang: string; body: string; interactive: boolean }): string {
  const scripts = page.interactive ? `${plotlyScript()}\n<script>${liveScript()}</script>\n` : "";
  return `<!doctype html>
<html lang="${escapeHtml(page.lang)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(page.title)}</title>
<style>${fontFaces()}${styleSheet}</style>
</head>
<body>
<main>
${page.body}
</main>
${scripts}</body>
</html>
`;
}

const styleSheet = `
:root{color-scheme:light dark;--text:#1f2933;--muted:#52606d;--paper:#ffffff;--line:#d5dae1;--link:#0072b2;--soft:#f4f6f8}
@media (prefers-color-scheme:dark){:root{--text:#e6e9ed;--muted:#b6bec9;--paper:#15191f;--line:#3a434f;--link:#56b4e9;--soft:#1e242c}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--text);font:16px/1.55 Inter,"Helvetica Neue",Arial,sans-serif}
main{max-width:50rem;margin:0 auto;padding:2rem 1.25rem 4rem}
h1{font-size:1.75rem;line-height:1.2;margin:0 0 1rem}
h2{font-size:1.25rem;margin:2.5rem 0 .75rem}
h3{font-size:1rem;margin:0 0 .5rem}
h1,h2,h3{font-weight:600;text-wrap:balance}
p,ul,ol{margin:.75rem 0}
a{color:var(--link)}
code,pre{font:.9em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
pre{background:var(--soft);border:1px solid var(--line);border-radius:6px;padding:.75rem 1rem;overflow-x:auto}
figure{margin:2rem 0;padding:0}
figcaption{color:var(--muted);font-size:.875rem;margin-top:.25rem}
.static{overflow-x:auto}
.static svg{display:block;max-width:100%;height:auto;border-radius:4px}
.live{width:100%}
[hidden]{display:none}
.damlab-table{margin:1.5rem 0;font-size:.9375rem}
.damlab-table caption{color:var(--muted)}
footer{margin-top:3rem;border-top:1px solid var(--line);padding-top:1rem;color:var(--muted);font-size:.875rem}
@media print{
:root{color-scheme:light;--text:#000;--muted:#333;--paper:#fff;--line:#999;--soft:#fff}
main{max-width:none;padding:0}
.static,.static[hidden]{display:block}
.live{display:none!important}
figure,table,pre{break-inside:avoid}
h1,h2,h3{break-after:avoid}
}`;

/** The page's own script: draws each figure for its width and for the colour scheme, and again when either changes. */
function liveScript(): string {
  return `(function(){
"use strict";
if(!window.Plotly)return;
var dark=window.matchMedia("(prefers-color-scheme: dark)"),inks=${scriptJson(darkInks)};
document.querySelectorAll("figure").forEach(function(figure){
var live=figure.querySelector(".live"),still=figure.querySelector(".static"),json=figure.querySelector("script");
if(!live||!json)return;
var specs=json.textContent,shown="";
function draw(){
var width=figure.clientWidth,kind=width<${narrowBelow}?"narrow":"wide",wanted=kind+dark.matches;
if(width===0||wanted===shown)return;
var text=specs;
if(dark.matches)Object.keys(inks).forEach(function(ink){text=text.split('"'+ink+'"').join('"'+inks[ink]+'"')});
var spec=JSON.parse(text)[kind];
delete spec.layout.width;
spec.layout.autosize=true;
spec.layout.modebar={bgcolor:"rgba(0,0,0,0)"};
spec.config.displayModeBar=window.matchMedia("(hover: hover)").matches?"hover":false;
live.hidden=false;
Plotly.react(live,spec.data,spec.layout,spec.config).then(function(){still.hidden=true;shown=wanted},function(){live.hidden=true;still.hidden=false});
}
draw();
if(window.ResizeObserver)new ResizeObserver(draw).observe(figure);
if(dark.addEventListener)dark.addEventListener("change",draw);
});
})();`;
}
