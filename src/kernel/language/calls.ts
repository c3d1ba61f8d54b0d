import type { CellActions, CompiledCode, CompiledModule, ErrorReport, ExpressionReply } from "../link/messages";

/** A cell that can run, or (an empty cell) has nothing to run. */
export interface CompiledCell {
  readonly code: CompiledCode;
  /** Local TypeScript modules that the cell needs and that changed since they were last handed over. */
  readonly modules: readonly CompiledModule[];
  readonly actions: CellActions;
}

/** Compiled `user_expressions`, and replies for those that do not compile. */
export interface CompiledExpressions {
  readonly code: Readonly<Record<string, CompiledCode>>;
  readonly failed: Readonly<Record<string, ExpressionReply>>;
}

/** What the wire asks of the language service. All positions that cross this interface count code points. */
export interface Language {
  /** @returns An error (of syntax or types) instead of code where the cell must not run. */
  compile(cell: number, name: string, code: string): Promise<CompiledCell | ErrorReport>;
  compileExpressions(expressions: Readonly<Record<string, string>>): Promise<CompiledExpressions>;
  /** Makes these names of a cell visible to all that come later. */
  commit(cell: number, names: readonly string[]): void;
  /** Learns a cell of a former service: as `compile` and `commit` do, but nothing is checked or compiled. */
  restore(cell: number, code: string, names: readonly string[]): void;
  /** Forgets all cells. */
  reset(): void;
  /** Content of `complete_reply`. */
  complete(code: string, cursor: number): Promise<Readonly<Record<string, unknown>>>;
  /** Content of `inspect_reply`. */
  inspect(code: string, cursor: number, detail: number): Promise<Readonly<Record<string, unknown>>>;
  /** Content of `is_complete_reply`. */
  isComplete(code: string): Promise<Readonly<Record<string, unknown>>>;
}
