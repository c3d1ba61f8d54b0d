/**
 * The `damlab` command: finds the verb, runs it, and turns whatever happens into an exit code:
 * 0 done, 1 failed (one line on stderr says why), 2 wrong usage, 130 interrupted.
 */
import { Command, CommanderError, Option } from "commander";
import { closest, distance } from "fastest-levenshtein";
import { listenForInterrupts, wasInterrupted } from "./interrupt";
import { endQuietlyOnClosedPipe, UsageError } from "./output";
import { listVerbs, registerVerb } from "./verbs";
import { damlabVersion } from "../engine/version";

/**
 * Runs the command line and ends the process.
 * @param argv The arguments after `damlab`.
 */
export async function main(argv: readonly string[]): Promise<never> {
  endQuietlyOnClosedPipe();
  listenForInterrupts();
  // Libraries that log would spoil the one JSON document on stdout.
  console.log = console.info = console.debug = console.error;
  process.on("uncaughtException", (error) => process.exit(report(error, process.env.DAMLAB_DEBUG === "1")));
  const code = await run(argv);
  await new Promise((resolve) => process.stdout.write("", resolve));
  process.exit(code);
}

/**
 * Runs the command line in this process.
 * @param argv The arguments after `damlab`.
 * @returns The exit code.
 */
export async function run(argv: readonly string[]): Promise<number> {
  const debug = argv.includes("--debug") || process.env.DAMLAB_DEBUG === "1";
  const rest = argv.filter((argument) => argument !== "--debug");
  try {
    const program = createProgram();
    const names = listVerbs().map((verb) => verb.name);
    const words = rest.filter((argument) => !argument.startsWith("-"));
    const wanted = words[0] === "help" ? words[1] : words[0];
    if (wanted !== undefined && !names.includes(wanted)) throw new UsageError(unknownVerb(wanted, names));
    if (wanted === undefined) listVerbs().forEach((verb) => program.command(verb.name).description(verb.summary));
    else {
      registerVerb(program, wanted);
      program.commands.forEach(offerEngine);
    }
    program.commands.forEach(prepare);
    if (rest.length === 0) program.help({ error: true });
    await program.parseAsync(rest, { from: "user" });
    return wasInterrupted() ? 130 : Number(process.exitCode ?? 0);
  } catch (error) {
    return wasInterrupted() ? 130 : report(error, debug);
  }
}

function createProgram(): Command {
  const program = new Command("damlab")
    .description("A laboratory for backdoor-safe model merging.")
    .version(damlabVersion(), "-V, --version", "print the version")
    .helpCommand("help [verb]", "show how a verb is used")
    .option("--debug", "show where an error comes from (also DAMLAB_DEBUG=1)")
    .addHelpText("after", "\nExit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.");
  // The engine reads the variable when it starts, in this process and in its workers.
  program.hook("preAction", (_program, command) => {
    const engine: unknown = command.opts<{ engine?: unknown }>().engine;
    if (typeof engine === "string") process.env.DAMLAB_ENGINE = engine;
  });
  prepare(program);
  return program;
}

/** Names for `--engine`; listed here because the help must not load an engine. */
const ENGINES = ["auto", "gpu", "native", "wasm", "cpu"];

/** Errors of usage are thrown, not printed, by this command and those below it. */
function prepare(command: Command): void {
  command.exitOverride().configureOutput({ outputError: () => undefined });
  command.commands.forEach(prepare);
}

/** Every command that does something takes `--engine`. */
function offerEngine(command: Command): void {
  if (command.commands.length === 0 && !command.options.some(({ long }) => long === "--engine")) {
    command.addOption(new Option("--engine <name>", "what computes (also DAMLAB_ENGINE)").choices(ENGINES));
  }
  command.commands.forEach(offerEngine);
}

function unknownVerb(wanted: string, names: readonly string[]): string {
  const nearest = closest(wanted, names);
  const hint = distance(wanted, nearest) <= 1 + wanted.length / 3 ? `did you mean "${nearest}"?` : `expected one of ${names.join(", ")}`;
  return `Cannot run "${wanted}": no such verb, ${hint}`;
}

/** Prints why the command failed, in one line, and returns its exit code. */
function report(error: unknown, debug: boolean): number {
  if (error instanceof CommanderError && error.exitCode === 0) return 0;
  const usage = error instanceof CommanderError || error instanceof UsageError;
  // Commander has printed the help itself.
  if (error instanceof CommanderError && error.code === "commander.help") return 2;
  const message = error instanceof Error ? error.message || error.name : String(error);
  process.stderr.write(
    `damlab: ${message
      .replace(/^error: /, "")
      .trim()
      .replace(/\s*\n\s*/g, " ")}\n`,
  );
  if (debug && error instanceof Error) process.stderr.write(`${error.stack ?? ""}\n`);
  return usage ? 2 : 1;
}
