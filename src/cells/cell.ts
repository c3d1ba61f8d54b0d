/** @file The composable step of a notebook: a typed async function with declared parameters, provenance and a cache. */
import type { z } from "zod";
import type { MimeBundle } from "../display/mime";
import { startEngine } from "../engine";
import { attachDisplay, cellHelp, prepareDisplay, resultText } from "./cellDisplay";
import type { CellHelp } from "./cellDisplay";
import type { CellContext } from "./cellContext";
import { openContext } from "./cellContext";
import { sha256 } from "./canonicalJson";
import { validateParameters } from "./parameters";
import type { Provenance } from "./provenance";
import { deepFreeze, identifyInput, rememberProvenance, withKey } from "./provenance";
import type { CellSettings } from "./settings";
import { cellSettings, withInterrupts } from "./settings";
import { damlabVersion } from "../engine/version";

/** What a user writes to make a cell. */
export interface CellDefinition<Inputs extends readonly unknown[], Schema extends z.ZodObject, Output extends object> {
  readonly name: string;
  /** One line: what the cell does. */
  readonly summary: string;
  /**
   * Change it whenever the same inputs give another result than before; old results are not used then. Where it is left out, the text of
   * `run` stands for it, which does not see changes in the functions that `run` calls.
   */
  readonly version?: string | number;
  /** Names of the inputs, in order. Each call gives them before the parameters. */
  readonly inputs: { readonly [index in keyof Inputs]: string };
  /** Parameters with defaults and descriptions. */
  readonly parameters: Schema;
  /** Whether results are kept on disk; default true. False for cells that are as fast as reading a file. */
  readonly cache?: boolean;
  /** Whether the cell computes tensors, so that its results depend on the engine, which is started first; default true. */
  readonly engine?: boolean;
  /**
   * Fills in parameters whose defaults depend on the inputs or on other parameters, so that provenance and key have them too.
   * @throws where parameters don't fit each other.
   */
  resolve?(inputs: Inputs, parameters: z.output<Schema>): z.output<Schema>;
  /**
   * What stands for the inputs in provenance and key; default: the key of a cell's result, else the content. For inputs that only say where
   * the files lie whose content is hashed anyway.
   */
  identify?(inputs: Inputs): Readonly<Record<string, unknown>>;
  /** SHA-256 of the files that `run` reads, by a name that does not depend on the machine; so that changed files give new results. */
  files?(inputs: Inputs, parameters: z.output<Schema>): Promise<Readonly<Record<string, string>>> | Readonly<Record<string, string>>;
  /** The work. Returns a plain object of plain data, maps and typed arrays (anything, where `cache` is false). */
  run(inputs: Inputs, parameters: z.output<Schema>, context: CellContext): Promise<Output> | Output;
  /**
   * What an interrupt left undone, for cells that then give what they have: facts such as the number of steps done, which go into the
   * provenance; null for a finished output. An unfinished output is not kept, and the state that was saved stays, so that the next call goes on.
   */
  unfinished?(output: Output): Readonly<Record<string, unknown>> | null;
  /** A result as text, for terminals and logs; default: a line that says which cell made it. */
  text?(result: Result<Output>): string;
  /** How a result shows itself in notebooks, beside its text: content by MIME type. */
  display?(result: Result<Output>): Promise<Readonly<Record<string, unknown>>> | Readonly<Record<string, unknown>>;
}

/** A cell's result: its output, frozen, with provenance. Shows itself in notebooks. */
export type Result<Output> = Output & { readonly provenance: Provenance };

/** What a call gives after the inputs; may be left out where no parameter is required. */
type Given<Parameters> = Record<never, never> extends Parameters ? [parameters?: Parameters] : [parameters: Parameters];

/** A cell. Call it with its inputs, then its parameters. */
export interface Cell<Inputs extends readonly unknown[], Parameters, Output> {
  (...inputsAndParameters: [...Inputs, ...Given<Parameters>]): Promise<Result<Output>>;
  readonly cell: string;
  readonly version: string;
  /** Inputs, parameters, defaults and meaning; shows itself. */
  help(): CellHelp;
  /** The same cell with other settings, such as `{ cache: null }` or `{ signal }`. */
  with(settings: Partial<CellSettings>): Cell<Inputs, Parameters, Output>;
  /** Where a result would come from, without computing it; its `key` is that of the cache. */
  trace(...inputsAndParameters: [...Inputs, ...Given<Parameters>]): Promise<Provenance>;
}

/**
 * Makes a cell. Calling it validates the parameters, looks for a kept result of the same key, else computes one and keeps it. Calls of
 * the same key that overlap in one process compute once.
 * @throws (the cell) {TypeError} or {RangeError} for wrong inputs or parameters; the signal's reason when it is interrupted.
 */
export function defineCell<Inputs extends readonly unknown[], Schema extends z.ZodObject, Output extends object>(
  definition: CellDefinition<Inputs, Schema, Output>,
): Cell<Inputs, z.input<Schema>, Output> {
  const version = definition.version === undefined ? `source:${sha256(String(definition.run)).slice(0, 16)}` : String(definition.version);
  const running = new Map<string, Promise<Result<Output>>>();

  const prepare = async (given: readonly unknown[]): Promise<Prepared<Inputs, z.output<Schema>>> => {
    const { inputs, parameters: declared } = splitArguments(definition, given);
    const parameters = definition.resolve?.(inputs, declared) ?? declared;
    const engine = definition.engine === false ? null : await startEngine();
    const files = (await definition.files?.(inputs, parameters)) ?? {};
    const provenance = withKey({
      cell: definition.name,
      version,
      parameters: JSON.parse(JSON.stringify(parameters)) as Record<string, unknown>,
      seed: typeof parameters["seed"] === "number" ? parameters["seed"] : null,
      inputs:
        definition.identify?.(inputs) ?? Object.fromEntries(definition.inputs.map((name, index) => [name, identifyInput(inputs[index])])),
      files,
      engine: engine === null ? null : { name: engine.name, version: engine.version },
      damlab: damlabVersion(),
    });
    return { inputs, parameters, provenance };
  };

  const bind = (own: Partial<CellSettings>): Cell<Inputs, z.input<Schema>, Output> => {
    const call = async (...given: readonly unknown[]): Promise<Result<Output>> => {
      const prepared = await prepare(given);
      const settings = cellSettings(own);
      const { key } = prepared.provenance;
      // Calls that listen to another signal can't share their fate.
      const shared = settings.signal === undefined ? running.get(key) : undefined;
      if (shared !== undefined) return shared;
      const result = withSignal(settings.signal, (signal) => computeOrLoad(definition, prepared, { ...settings, signal }));
      if (settings.signal === undefined) running.set(key, result);
      try {
        return await result;
      } finally {
        if (running.get(key) === result) running.delete(key);
      }
    };
    return Object.assign(Object.defineProperty(call, "name", { value: definition.name }), {
      cell: definition.name,
      version,
      help: () => cellHelp(definition, version),
      with: (settings: Partial<CellSettings>) => bind({ ...own, ...settings }),
      trace: async (...given: readonly unknown[]) => (await prepare(given)).provenance,
    }) as Cell<Inputs, z.input<Schema>, Output>;
  };
  return bind({});
}

interface Prepared<Inputs, Parameters> {
  readonly inputs: Inputs;
  readonly parameters: Parameters;
  readonly provenance: Provenance;
}

function splitArguments<Inputs extends readonly unknown[], Schema extends z.ZodObject, Output extends object>(
  { name, inputs, parameters }: CellDefinition<Inputs, Schema, Output>,
  given: readonly unknown[],
): { inputs: Inputs; parameters: z.output<Schema> } {
  if (given.length < inputs.length || given.length > inputs.length + 1) {
    const wanted =
      inputs.length === 0 ? "no inputs" : `${inputs.length} ${inputs.length === 1 ? "input" : "inputs"} (${inputs.join(", ")})`;
    throw new TypeError(
      `Cannot run cell "${name}": expected ${wanted} and at most one object of parameters, got ${given.length} arguments`,
    );
  }
  inputs.forEach((input, index) => {
    if (given[index] === undefined) throw new TypeError(`Cannot run cell "${name}": expected a value as input "${input}", got undefined`);
    if (given[index] instanceof Promise)
      throw new TypeError(`Cannot run cell "${name}": expected a value as input "${input}", got a promise; await it first`);
  });
  return {
    inputs: given.slice(0, inputs.length) as unknown as Inputs,
    parameters: validateParameters(name, parameters, given[inputs.length]),
  };
}

function withSignal<T>(signal: AbortSignal | undefined, body: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return signal === undefined ? withInterrupts(body) : body(signal);
}

async function computeOrLoad<Inputs extends readonly unknown[], Schema extends z.ZodObject, Output extends object>(
  definition: CellDefinition<Inputs, Schema, Output>,
  { inputs, parameters, provenance }: Prepared<Inputs, z.output<Schema>>,
  settings: CellSettings & { signal: AbortSignal },
): Promise<Result<Output>> {
  settings.signal.throwIfAborted();
  const cache = definition.cache === false ? null : settings.cache;
  const address = { kind: "results", cell: definition.name, key: provenance.key } as const;
  const kept = (await cache?.load(address, (problem) => {
    process.stderr.write(`The kept result of cell "${definition.name}" is damaged (${problem}); it is computed again\n`);
  })) as Output | undefined;
  if (kept !== undefined) return finish(definition, kept, provenance);

  const context = openContext(settings, { ...address, kind: "states" });
  let output: Output;
  try {
    output = await definition.run(inputs, parameters, context);
    context.close("done");
  } catch (error) {
    context.close(settings.signal.aborted ? "interrupted" : "failed");
    throw error;
  }
  const unfinished = definition.unfinished?.(output) ?? null;
  if (unfinished !== null) {
    const { key: _whole, ...facts } = provenance;
    return finish(definition, output, withKey({ ...facts, parameters: { ...facts.parameters, unfinished } }));
  }
  if (cache !== null) {
    try {
      await cache.save(address, output, provenance);
    } catch (error) {
      // What can't be stored is the cell's mistake; a full or read-only disk is nobody's, and no reason to lose the result.
      if (error instanceof TypeError) throw error;
      process.stderr.write(`The result of cell "${definition.name}" was not kept: ${(error as Error).message}\n`);
    }
    await context.checkpoint.clear();
  }
  return finish(definition, output, provenance);
}

async function finish<Inputs extends readonly unknown[], Schema extends z.ZodObject, Output extends object>(
  definition: CellDefinition<Inputs, Schema, Output>,
  output: Output,
  provenance: Provenance,
): Promise<Result<Output>> {
  const result = { ...output, provenance } as Result<Output>;
  const displayable = attachDisplay(
    result,
    async () => (await definition.display?.(result)) as Partial<MimeBundle> | undefined,
    () => definition.text?.(result) ?? resultText(result),
  );
  deepFreeze(result);
  rememberProvenance(result, provenance);
  await prepareDisplay(displayable);
  return result;
}
