export { type Estimate, formatNumber, formatPercent, formatPercentInterval, type Rate, valueOf } from "./estimate";
export { type Figure, figureOf, type FigureNotes, type FigureOptions, type Frame, type Specification, type Trace } from "./figure";
export { type RateBound, type RateSeries, type RatesByTask, ratesFigure, type RatesFigureOptions } from "./charts/rates";
export { type TransferByTask, transferFigure } from "./charts/transfer";
export { type Averages, type MeasureName, measureTitles, type MethodRow, methodsFigure, type MethodsFigureOptions } from "./charts/methods";
export { paretoFigure, tradeoffFigure } from "./charts/tradeoff";
export {
  type TradeoffBound,
  type TradeoffFigureOptions,
  type TradeoffFront,
  type TradeoffPlane,
  type TradeoffPoint,
  undominated,
} from "./charts/tradeoffPlane";
export { type LinePanel, type LineSeries, linesFigure, type LinesFigureOptions } from "./charts/lines";
export { heatmapFigure, type HeatmapFigureOptions, type LayerGrid } from "./charts/heatmap";
export { familyOf, palette, type SeriesStyle, type StyleName, styles } from "./theme";
export { type PngOptions, renderPng, type RenderOptions, renderSvg, type SvgOptions } from "./render/image";
export { renderPdf } from "./render/pdf";
export { type Report, type ReportBlock, renderHtml, renderReport } from "./report";
export { type ExportOptions, exportFigure } from "./exportFigure";
export { figureToMime, plotlyLibrary } from "./mime";
export { type CellFormat, type CellValue, type Column, makeTable, type Table, type TableContent } from "./tables/table";
export { tableToText } from "./tables/text";
export { tableToHtml } from "./tables/html";
export { tableToCsv, tableToLatex, tableToMarkdown, tableToRecords } from "./tables/markup";
export { tableToDataFrame } from "./tables/dataFrame";
