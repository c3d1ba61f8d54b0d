let controller: AbortController | undefined;

/**
 * The signal that Ctrl-C aborts. A verb that asks for it promises to stop soon, after saving what it has; the command then ends with exit
 * code 130. A second Ctrl-C, or the first one if no verb asked, ends the process at once.
 */
export function interruptSignal(): AbortSignal {
  controller ??= new AbortController();
  return controller.signal;
}

/** True after an interrupt that a verb was asked to handle. */
export function wasInterrupted(): boolean {
  return controller?.signal.aborted ?? false;
}

/** Makes SIGINT end the command with exit code 130. */
export function listenForInterrupts(): void {
  process.on("SIGINT", () => {
    if (controller === undefined || controller.signal.aborted) process.exit(130);
    controller.abort(new Error("Interrupted"));
  });
}
