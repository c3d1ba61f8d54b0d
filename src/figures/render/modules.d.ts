// The little that is used of two packages without (fitting) declarations of their own.

declare module "jsdom" {
  export class JSDOM {
    constructor(html: string, options?: { runScripts?: "outside-only"; pretendToBeVisual?: boolean; virtualConsole?: VirtualConsole });
    readonly window: import("./plotlyWindow").PlotlyWindow;
    getInternalVMContext(): import("node:vm").Context;
  }
  export class VirtualConsole {}
}

declare module "svg-to-pdfkit" {
  function svgToPdf(document: unknown, svg: string, x: number, y: number, options: Readonly<Record<string, unknown>>): void;
  export = svgToPdf;
}
