/** How a value is displayed. */
export interface DisplayOptions {
  /** The value is a MIME bundle, to be shown as it is. */
  readonly raw?: boolean;
  /** Names the output, so that it can be updated; default a new name. */
  readonly displayId?: string;
  /** Shows the value in place of the output of that name. */
  readonly update?: boolean;
  /** More entries for the message's `transient` field. */
  readonly transient?: Readonly<Record<string, unknown>>;
  /** The message's `metadata` field, by MIME type. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** An output that can be replaced. */
export interface DisplayHandle {
  readonly displayId: string;
  update(value: unknown, options?: { readonly raw?: boolean }): void;
}

/** A channel between code in a cell and a widget in the client. */
export interface KernelComm {
  readonly id: string;
  readonly targetName: string;
  onMessage: (data: Readonly<Record<string, unknown>>, buffers: readonly Uint8Array[]) => void;
  onClose: (data: Readonly<Record<string, unknown>>) => void;
  send(
    data: Readonly<Record<string, unknown>>,
    options?: { readonly metadata?: Readonly<Record<string, unknown>>; readonly buffers?: readonly Uint8Array[] },
  ): void;
  close(data?: Readonly<Record<string, unknown>>): void;
}

/** What the process that runs cells offers to them. */
export interface KernelApi {
  display(value: unknown, options?: DisplayOptions): DisplayHandle;
  clearOutput(options?: { readonly wait?: boolean }): void;
  input(prompt?: string): Promise<string>;
  getpass(prompt?: string): Promise<string>;
  page(text: string): void;
  readonly comms: {
    registerTarget(name: string, target: (comm: KernelComm, data: Readonly<Record<string, unknown>>) => void): void;
    open(targetName: string, data?: Readonly<Record<string, unknown>>): KernelComm;
  };
}

/** Where the running kernel leaves its functions. */
export const kernelApiSymbol: unique symbol = Symbol.for("damlab.kernel.api") as never;
