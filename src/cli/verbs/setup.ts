import type { Command } from "commander";
import { type NativeInstallation, nativeHome } from "../../engine/native/home";
import { printJson, printNote, printText, UsageError } from "../output";
import { removeNative, setupNative } from "../setup/setupNative";

interface NativeFlags {
  readonly gpu?: boolean;
  readonly withoutDevice?: boolean;
  readonly tensorflow?: string;
  readonly from?: string;
  readonly official?: boolean;
  readonly remove?: boolean;
  readonly json?: boolean;
}

/** `damlab setup native`: installs TensorFlow as an engine, or removes it. */
export function registerSetup(program: Command): void {
  const setup = program.command("setup").description("install the native or GPU engine");
  setup
    .command("native")
    .summary("install TensorFlow as engine native")
    .description(
      "Installs TensorFlow as engine native, for this user and all projects: takes its libraries from Python's packages, a folder, or a " +
        "wheel that pip brings; compiles the binding of TensorFlow.js with this machine's C++ compiler; tries it; puts it in place. " +
        `Goes to ${nativeHome()} (environment variable DAMLAB_NATIVE_HOME).`,
    )
    .option("--gpu", "for NVIDIA GPUs: TensorFlow with CUDA's libraries, as engine gpu")
    .option("--without-device", "with --gpu: do not ask for a GPU on this machine, to prepare an image for another one")
    .option("--tensorflow <version>", "take this version of TensorFlow")
    .option("--from <path>", "take TensorFlow from this folder or wheel")
    .option("--official", "take the published binding and its TensorFlow of 2022 instead of compiling one")
    .option("--remove", "remove what was installed")
    .option("--json", "print one JSON document")
    .action(async (flags: NativeFlags) => {
      if (flags.remove === true) return remove(flags);
      if (flags.tensorflow !== undefined && !/^\d+\.\d+\.\d+\w*$/.test(flags.tensorflow)) {
        throw new UsageError(`Cannot install TensorFlow "${flags.tensorflow}": expected a version such as 2.21.0`);
      }
      const { tensorflow, from, gpu, withoutDevice, official } = flags;
      if (official === true && (tensorflow !== undefined || from !== undefined)) {
        throw new UsageError("Cannot choose TensorFlow with --official: the published binding brings its own");
      }
      if (withoutDevice === true && gpu !== true) throw new UsageError("Cannot use --without-device: it goes with --gpu");
      const installation = await setupNative({
        variant: gpu === true ? "gpu" : "cpu",
        note: printNote,
        ...(withoutDevice === true && { withoutDevice }),
        ...(official === true && { official }),
        ...(tensorflow !== undefined && { tensorflow }),
        ...(from !== undefined && { from }),
      });
      if (flags.json === true) printJson(installation);
      else
        printText(
          withoutDevice === true ? `Engine gpu is prepared in ${installation.folder}; no device was tried` : describe(installation),
        );
    });
}

async function remove({ json, tensorflow, from }: NativeFlags): Promise<void> {
  if (tensorflow !== undefined || from !== undefined) throw new UsageError("Cannot remove and install at once: give --remove alone");
  const removed = await removeNative();
  if (json === true) printJson({ removed });
  else printText(removed.length === 0 ? "Nothing was installed" : removed.map((folder) => `Removed ${folder}`).join("\n"));
}

function describe({ tensorflow, gflops, folder, variant }: NativeInstallation): string {
  return `Engine ${variant === "gpu" ? "gpu" : "native"} computes with TensorFlow ${tensorflow}: ${gflops} GFLOP/s in float32 products\nInstalled in ${folder}`;
}
