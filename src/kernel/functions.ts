import { inspect } from "node:util";
import { type DisplayHandle, type DisplayOptions, type KernelApi, kernelApiSymbol } from "./api";

function running(): KernelApi | undefined {
  return (globalThis as { [kernelApiSymbol]?: KernelApi })[kernelApiSymbol];
}

function needed(action: string): KernelApi {
  const api = running();
  if (api === undefined) throw new Error(`Cannot ${action}: this process is not a damlab kernel`);
  return api;
}

/**
 * Shows a value in the output of the cell that calls: by its own `Symbol.for("Jupyter.display")`, else in the format that suits it. With `raw`
 * the value is a MIME bundle. Outside of a kernel it is printed.
 * @returns A handle; its `update(value)` shows another value in place of this one.
 */
export function display(value: unknown, options: DisplayOptions = {}): DisplayHandle {
  const api = running();
  if (api !== undefined) return api.display(value, options);
  const print = (shown: unknown): void => console.log(typeof shown === "string" ? shown : inspect(shown));
  print(value);
  return { displayId: options.displayId ?? "", update: print };
}

/** Removes the output of the cell that calls; with `wait` only when new output comes. */
export function clearOutput(options: { readonly wait?: boolean } = {}): void {
  running()?.clearOutput(options);
}

/** Asks the person at the notebook for a line of text. @throws {Error} outside of a kernel; its promise rejects if the client cannot ask. */
export function input(prompt = ""): Promise<string> {
  return needed("ask for input").input(prompt);
}

/** Asks for a line of text that is not shown while it is typed. @throws as `input`. */
export function getpass(prompt = "Password: "): Promise<string> {
  return needed("ask for input").getpass(prompt);
}

/** Shows text in the notebook's pager. @throws {Error} outside of a kernel. */
export function page(text: string): void {
  needed("page text").page(text);
}

/** Channels to widgets in the client: targets that it may open, and a way to open its own. */
export const comms: KernelApi["comms"] = {
  registerTarget: (name, target) => needed("register a comm target").comms.registerTarget(name, target),
  open: (targetName, data) => needed("open a comm").comms.open(targetName, data),
};
