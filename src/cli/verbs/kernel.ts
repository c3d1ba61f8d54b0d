import { spawnSync } from "node:child_process";
import type { Command } from "commander";
import { makeFolder } from "../../checkpoints/makeFolder";
import { installKernelspec, kernelspecsFolder, listKernelspecs, removeKernelspec } from "../../kernel/install/kernelspec";
import { formatColumns, printJson, printText, UsageError } from "../output";

interface PlaceOptions {
  readonly user?: boolean;
  readonly prefix?: string;
  readonly sysPrefix?: boolean;
}

/** `damlab kernel install | list | remove`. */
export function registerKernel(program: Command): void {
  const kernel = program.command("kernel").description("install, list or remove the Jupyter kernel");
  place(kernel.command("install").description("write the kernelspec where Jupyter finds it")).action((options: PlaceOptions) => {
    const where = placeOf(options);
    makeFolder(kernelspecsFolder(where));
    printText(`Installed kernelspec damlab in ${installKernelspec(where)}`);
  });
  place(kernel.command("remove").description("remove the kernelspec")).action((options: PlaceOptions) => {
    if (!removeKernelspec(placeOf(options))) throw new Error('Cannot remove kernelspec "damlab": it is not installed there');
    printText("Removed kernelspec damlab");
  });
  kernel
    .command("list")
    .description("list the kernelspecs of damlab that Jupyter can find")
    .option("--json", "print JSON")
    .action(({ json }: { json?: boolean }) => {
      const prefix = pythonPrefix();
      const found = listKernelspecs(prefix === undefined ? [] : [prefix]);
      if (json === true) return printJson(found);
      const rows = found.map(({ folder, displayName, works }) => [
        folder,
        displayName,
        works ? "" : "its program is gone: install it again",
      ]);
      printText(found.length === 0 ? "No kernelspec is installed" : formatColumns(rows));
    });
}

function place(command: Command): Command {
  return command
    .option("--user", "for this user (default)")
    .option("--prefix <folder>", "below this folder: FOLDER/share/jupyter/kernels/damlab")
    .option("--sys-prefix", "below the prefix of the python3 on the path: a virtual environment");
}

function placeOf({ user, prefix, sysPrefix }: PlaceOptions): { prefix?: string } {
  if ([user, prefix, sysPrefix].filter((option) => option !== undefined).length > 1)
    throw new UsageError("Cannot install kernel: expected one of --user, --prefix and --sys-prefix");
  if (prefix !== undefined) return { prefix };
  if (sysPrefix !== true) return {};
  const found = pythonPrefix();
  if (found === undefined) throw new Error("Cannot find sys.prefix: expected python3 on the path");
  return { prefix: found };
}

function pythonPrefix(): string | undefined {
  const { status, stdout } = spawnSync("python3", ["-c", "import sys; print(sys.prefix)"], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}
