/** What every cell finds without an import, as TypeScript sees it; `src/kernel/index.ts` exports the same functions. */
export const GLOBALS = `
interface DamlabDisplayOptions { raw?: boolean; displayId?: string; update?: boolean; transient?: Record<string, unknown>; metadata?: Record<string, unknown> }
interface DamlabDisplayHandle { readonly displayId: string; update(value: unknown, options?: { raw?: boolean }): void }
/** Shows a value now; with \`raw\`, a MIME bundle as it is. Returns a handle whose \`update(value)\` shows another value in its place. */
declare function display(value: unknown, options?: DamlabDisplayOptions): DamlabDisplayHandle;
/** Removes the output of the cell; with \`wait\`, when new output comes. */
declare function clearOutput(options?: { wait?: boolean }): void;
/** Asks the person at the notebook for a line of text. */
declare function input(prompt?: string): Promise<string>;
/** Asks for a line of text that is not shown while it is typed. */
declare function getpass(prompt?: string): Promise<string>;
/** Shows text in the notebook's pager. */
declare function page(text: string): void;
declare module "tslab" {
  interface Display {
    javascript(s: string): void; html(s: string): void; markdown(s: string): void; latex(s: string): void; svg(s: string): void;
    png(b: Uint8Array): void; jpeg(b: Uint8Array): void; gif(b: Uint8Array): void; pdf(b: Uint8Array): void;
    text(s: string): void; raw(contentType: string, b: string | Uint8Array): void;
  }
  const display: Display;
  const versions: { tslab: string; typescript: string; node: string };
  function newDisplay(): Display;
}
`;
