import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, sep } from "node:path";
import { ENGINE_MEMORY } from "../link/engineMemory";

/** Name of the kernelspec, and of its folder. */
export const KERNEL_NAME = "damlab";

const packageFolder = join(__dirname, "..", "..", "..");

/** Where kernelspecs go: for this user, below a prefix (an environment), or below the prefix of the Python that runs Jupyter. */
export interface KernelspecPlace {
  readonly prefix?: string;
}

/** A kernelspec that was found. */
export interface InstalledKernelspec {
  readonly folder: string;
  readonly displayName: string;
  /** False if the program that it names is gone. */
  readonly works: boolean;
}

/** The folder for kernelspecs of the place; without a prefix the user's own, as Jupyter defines it. */
export function kernelspecsFolder({ prefix }: KernelspecPlace): string {
  if (prefix !== undefined) return join(prefix, "share", "jupyter", "kernels");
  const { JUPYTER_DATA_DIR, APPDATA, XDG_DATA_HOME } = process.env;
  // An empty variable counts as none.
  if (JUPYTER_DATA_DIR) return join(JUPYTER_DATA_DIR, "kernels");
  if (process.platform === "darwin") return join(homedir(), "Library", "Jupyter", "kernels");
  if (process.platform === "win32") return join(APPDATA || join(homedir(), "AppData", "Roaming"), "jupyter", "kernels");
  return join(XDG_DATA_HOME || join(homedir(), ".local", "share"), "jupyter", "kernels");
}

/** The kernelspec of this installation of damlab, run by this Node. */
export function kernelspec(): object {
  return {
    argv: [process.execPath, join(packageFolder, "kernel-setup", "kernelspec", "start.cjs"), "{connection_file}"],
    display_name: "TypeScript (damlab)",
    language: "typescript",
    interrupt_mode: "message",
    env: ENGINE_MEMORY,
    metadata: { debugger: false },
  };
}

/**
 * Writes the kernelspec with its logos, in place of an older one, into a place whose `kernelspecsFolder` is there.
 * @returns Its folder.
 */
export function installKernelspec(place: KernelspecPlace): string {
  const kernels = kernelspecsFolder(place);
  const folder = join(kernels, KERNEL_NAME);
  const temporary = mkdtempSync(join(kernels, `.${KERNEL_NAME}-`));
  try {
    writeFileSync(join(temporary, "kernel.json"), `${JSON.stringify(kernelspec(), null, 2)}\n`);
    const logos = join(packageFolder, "kernel-setup", "kernelspec");
    for (const file of readdirSync(logos)) if (file.startsWith("logo-")) cpSync(join(logos, file), join(temporary, file));
    rmSync(folder, { recursive: true, force: true });
    renameSync(temporary, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return folder;
}

/** Removes the kernelspec. @returns Whether there was one. */
export function removeKernelspec(place: KernelspecPlace): boolean {
  const folder = join(kernelspecsFolder(place), KERNEL_NAME);
  const found = existsSync(folder);
  rmSync(folder, { recursive: true, force: true });
  return found;
}

/** Finds the kernelspecs of damlab in the folders where Jupyter looks. */
export function listKernelspecs(prefixes: readonly string[] = []): InstalledKernelspec[] {
  const path = (process.env.JUPYTER_PATH ?? "").split(sep === "\\" ? ";" : ":").filter((folder) => folder !== "");
  const folders = [
    ...path.map((folder) => join(folder, "kernels")),
    kernelspecsFolder({}),
    ...[...prefixes, "/usr/local", "/usr"].map((prefix) => kernelspecsFolder({ prefix })),
  ];
  return [...new Set(folders)].flatMap((kernels) => {
    const file = join(kernels, KERNEL_NAME, "kernel.json");
    if (!existsSync(file)) return [];
    const { display_name: displayName, argv } = JSON.parse(readFileSync(file, "utf8")) as { display_name: string; argv: string[] };
    return [{ folder: dirname(file), displayName, works: argv.slice(0, 2).every((program) => existsSync(program)) }];
  });
}
