import { randomBytes } from "node:crypto";
import { display as show } from "./functions";

/** The display of the `tslab` package, as its notebooks know it: one method a format. */
export interface TslabDisplay {
  javascript(text: string): void;
  html(text: string): void;
  markdown(text: string): void;
  latex(text: string): void;
  svg(text: string): void;
  png(bytes: Uint8Array): void;
  jpeg(bytes: Uint8Array): void;
  gif(bytes: Uint8Array): void;
  pdf(bytes: Uint8Array): void;
  text(text: string): void;
  raw(contentType: string, content: string | Uint8Array): void;
}

/** What `import … from "tslab"` gives in a cell: the package's own API on this kernel's display. */
export interface TslabModule {
  readonly display: TslabDisplay;
  /** A display whose output is replaced each time. */
  newDisplay(): TslabDisplay;
  readonly versions: { readonly tslab: string; readonly typescript: string; readonly node: string };
}

/** Makes the module. @param typescript Version of the compiler. */
export function tslabModule(typescript: string): TslabModule {
  return {
    display: createDisplay(undefined),
    newDisplay: () => createDisplay(randomBytes(8).toString("hex")),
    versions: { tslab: "1.0.22", typescript, node: process.version },
  };
}

const FORMATS = {
  javascript: "text/javascript",
  html: "text/html",
  markdown: "text/markdown",
  latex: "text/latex",
  svg: "image/svg+xml",
  png: "image/png",
  jpeg: "image/jpeg",
  gif: "image/gif",
  pdf: "application/pdf",
  text: "text/plain",
} as const;

function createDisplay(displayId: string | undefined): TslabDisplay {
  let shown = false;
  const raw = (contentType: string, content: string | Uint8Array): void => {
    const text = typeof content === "string" ? content : Buffer.from(content).toString("base64");
    show({ [contentType]: text }, { raw: true, update: shown, ...(displayId !== undefined && { displayId }) });
    shown = displayId !== undefined;
  };
  const methods = Object.entries(FORMATS).map(([name, type]) => [name, (content: string | Uint8Array) => raw(type, content)]);
  return { raw, ...Object.fromEntries(methods) } as TslabDisplay;
}
