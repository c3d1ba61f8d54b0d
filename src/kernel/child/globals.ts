import { randomUUID } from "node:crypto";
import { ownCell } from "./cells";
import { send } from "./channel";
import type { CommRegistry } from "./comms";
import { formatDisplay, shownAlready } from "./format";
import { requestInput } from "./input";
import { type KernelApi, kernelApiSymbol } from "../api";

/** Puts `display` and its companions where cells and `damlab/kernel` find them, and a place for damlab's progress bars. */
export function installGlobals(comms: CommRegistry): void {
  const show = (bundle: { data: object; metadata: object }, displayId: string | undefined, update: boolean, transient: object = {}): void =>
    send({
      type: "display",
      cell: ownCell()?.cell ?? 0,
      update,
      data: { ...bundle.data },
      metadata: { ...bundle.metadata },
      transient: { ...transient, ...(displayId !== undefined && { display_id: displayId }) },
    });

  const api: KernelApi = {
    display(value, { raw = false, displayId = randomUUID(), update = false, transient, metadata } = {}) {
      const present = (shown: unknown, again: boolean, asBundle: boolean): void => {
        const send = (bundle: { data: object; metadata: object }): void =>
          show({ data: bundle.data, metadata: metadata ?? bundle.metadata }, displayId, again, transient);
        const bundle = formatDisplay(shown, asBundle);
        if (bundle instanceof Promise) bundle.then(send, (error: unknown) => console.error(error));
        else send(bundle);
      };
      present(value, update, raw);
      const handle = { displayId, update: (next: unknown, options: { raw?: boolean } = {}) => present(next, true, options.raw ?? raw) };
      // A cell that ends in `display(x)` has shown x; its handle needs no showing.
      shownAlready.add(handle);
      return handle;
    },
    clearOutput: ({ wait = false } = {}) => send({ type: "clear_output", cell: ownCell()?.cell ?? 0, wait }),
    input: (prompt = "") => requestInput(prompt, false),
    getpass: (prompt = "Password: ") => requestInput(prompt, true),
    page: (text) => send({ type: "page", cell: ownCell()?.cell ?? 0, data: { "text/plain": String(text) } }),
    comms: { registerTarget: (name, target) => comms.registerTarget(name, target), open: (name, data) => comms.open(name, data) },
  };
  const globals = globalThis as Record<string | symbol, unknown>;
  globals[kernelApiSymbol] = api;
  const { display, clearOutput, input, getpass, page } = api;
  for (const [name, value] of Object.entries({ display, clearOutput, input, getpass, page }))
    Object.defineProperty(globals, name, { value, configurable: true, writable: true, enumerable: false });
  globals[Symbol.for("damlab.notebookShow")] = (data: object, id: string, update: boolean) => show({ data, metadata: {} }, id, update);
}
