/** @file What the wire process and the child that runs user code say to each other: one line of JSON a message. */

/** Pipes of the child beyond the usual three. */
export const CHILD_PIPES = {
  /** Child to wire; written synchronously, so that nothing is lost when the child dies, and a flood makes the child wait. */
  events: 3,
  /** Wire to the child's main thread. */
  requests: 4,
  /** Wire to the child's guard thread: for each interrupt the number of the cell; its end means that the wire is gone. */
  guard: 5,
} as const;

/** A value in several formats with what describes them. */
export interface Bundle {
  readonly data: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** An error as the protocol reports it. */
export interface ErrorReport {
  readonly ename: string;
  readonly evalue: string;
  /** Lines, with ANSI colours. */
  readonly traceback: readonly string[];
}

/** Compiled code, ready to run. */
export interface CompiledCode {
  /** A function that returns the cell as an async function. */
  readonly javascript: string;
  /** Source map, JSON; its lines count from the line before the cell's first. */
  readonly sourceMap: string;
  /** What the person wrote, for code frames. */
  readonly source: string;
}

/** A local TypeScript module, compiled to CommonJS. */
export interface CompiledModule {
  readonly path: string;
  readonly version: string;
  readonly javascript: string;
  readonly sourceMap: string;
}

/** What a magic asks the child to do around a cell. */
export interface CellActions {
  readonly time?: boolean;
  readonly timeit?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  readonly listEnvironment?: boolean;
  readonly show?: string;
  readonly engine?: string;
}

/** Outcome of one of `user_expressions`. */
export type ExpressionReply = ({ readonly status: "ok" } & Bundle) | ({ readonly status: "error" } & ErrorReport);

/** Wire to child. */
export type Request =
  | {
      readonly type: "execute";
      /** Unique number of this execution. */
      readonly cell: number;
      /** How frames name the cell, such as `In[3]`. */
      readonly name: string;
      readonly code: CompiledCode;
      readonly modules: readonly CompiledModule[];
      readonly actions: CellActions;
      readonly allowStdin: boolean;
    }
  | { readonly type: "evaluate"; readonly cell: number; readonly expressions: Readonly<Record<string, CompiledCode>> }
  /** No cell runs: SIGINT that has come by now was meant for a former one. */
  | { readonly type: "forget_signals" }
  | { readonly type: "input_reply"; readonly id: number; readonly value: string }
  | {
      readonly type: "comm";
      readonly kind: CommKind;
      readonly content: Readonly<Record<string, unknown>>;
      readonly buffers: readonly string[];
    };

/** The three messages of a comm. */
export type CommKind = "comm_open" | "comm_msg" | "comm_close";

/** Child to wire. */
export type Event =
  | { readonly type: "ready" }
  | { readonly type: "stream"; readonly cell: number; readonly name: "stdout" | "stderr"; readonly text: string }
  | ({
      readonly type: "display";
      readonly cell: number;
      readonly update: boolean;
      readonly transient: Readonly<Record<string, unknown>>;
    } & Bundle)
  | { readonly type: "clear_output"; readonly cell: number; readonly wait: boolean }
  | { readonly type: "input_request"; readonly cell: number; readonly id: number; readonly prompt: string; readonly password: boolean }
  | { readonly type: "page"; readonly cell: number; readonly data: Readonly<Record<string, unknown>> }
  | {
      readonly type: "comm";
      readonly cell: number;
      readonly kind: CommKind;
      readonly content: Readonly<Record<string, unknown>>;
      readonly metadata: Readonly<Record<string, unknown>>;
      readonly buffers: readonly string[];
    }
  /** Clients may open comms to this target from now on. */
  | { readonly type: "comm_target"; readonly name: string }
  /** The main thread has seen an interrupt; `asked`: the code was asked to stop by itself. */
  | { readonly type: "interrupted"; readonly asked: boolean }
  /** Code in the child listens for SIGINT by itself, or has stopped to. */
  | { readonly type: "listening"; readonly cooperative: boolean }
  | { readonly type: "evaluated"; readonly cell: number; readonly replies: Readonly<Record<string, ExpressionReply>> }
  | {
      readonly type: "done";
      readonly cell: number;
      readonly result?: Bundle;
      readonly error?: ErrorReport;
      /** Names that the cell declared and that have a value now. */
      readonly names: readonly string[];
    };
