/** Whether an NVIDIA GPU can compute here, told from what the driver shows, without loading TensorFlow. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";

/** What there is of GPU and driver. */
export interface GpuSurvey {
  /** As `/dev/nvidia0`, or `/dev/dxg` under WSL. */
  readonly devices: readonly string[];
  /** Version of the kernel's driver; null where it is not loaded. Under WSL the driver is Windows'. */
  readonly driver: string | null;
  /** Path of `libcuda.so.1`, which comes with the driver; null where there is none. */
  readonly driverLibrary: string | null;
  /** Environment variable CUDA_VISIBLE_DEVICES. */
  readonly visible: string | undefined;
}

/** The oldest driver of NVIDIA's that CUDA 12 works with. */
const OLDEST_DRIVER = 525;

/** Looks for devices, driver and the driver's library below a root folder. */
export function surveyGpu(root = "/", environment: NodeJS.ProcessEnv = process.env): GpuSurvey {
  const list = (folder: string): string[] => (existsSync(path.join(root, folder)) ? readdirSync(path.join(root, folder)) : []);
  const devices = list("dev").filter((name) => /^nvidia\d+$|^dxg$/.test(name));
  const version = path.join(root, "proc", "driver", "nvidia", "version");
  const folders = [
    ...(environment["LD_LIBRARY_PATH"] ?? "").split(":").filter(Boolean),
    ...["usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "usr/lib64", "usr/lib", "usr/lib/wsl/lib", "usr/local/nvidia/lib64"].map(
      (each) => path.join(root, each),
    ),
  ];
  return {
    devices: devices.map((name) => `/dev/${name}`).sort(),
    driver: existsSync(version) ? (/\b(\d{3}\.\d+(?:\.\d+)?)\b/.exec(readFileSync(version, "utf8"))?.[1] ?? null) : null,
    driverLibrary: folders.map((folder) => path.join(folder, "libcuda.so.1")).find((file) => existsSync(file)) ?? null,
    visible: environment["CUDA_VISIBLE_DEVICES"],
  };
}

/**
 * Why no GPU can compute, with the remedy; null where nothing speaks against one.
 * @param survey Of this machine, or made up in tests.
 */
export function diagnoseGpu({ devices, driver, driverLibrary, visible }: GpuSurvey): string | null {
  if (devices.length === 0) {
    if (driver === null)
      return "this machine shows no NVIDIA GPU: install NVIDIA's driver if it has one; in a container, start it with --gpus all";
    return `driver ${driver} shows no device: in a container, start it with --gpus all; else see what nvidia-smi says`;
  }
  const windows = devices.includes("/dev/dxg");
  if (driver === null && !windows)
    return `${devices[0]} is there but no driver is loaded: load NVIDIA's kernel module, or restart after installing it`;
  if (driver !== null && Number.parseInt(driver, 10) < OLDEST_DRIVER)
    return `driver ${driver} is too old: install ${OLDEST_DRIVER} or newer`;
  if (driverLibrary === null) {
    return windows
      ? "the library libcuda.so.1 of Windows' driver is missing: update WSL and the driver in Windows"
      : "the driver's library libcuda.so.1 is missing: install NVIDIA's user-space driver of the same version; in a container, start it with --gpus all";
  }
  if (visible !== undefined && /^(-1|\s*)$/.test(visible)) return `CUDA_VISIBLE_DEVICES="${visible}" hides every GPU: unset it`;
  return null;
}

/**
 * The reason in TensorFlow's log for computing on the CPU although a GPU is there.
 * @param log What it wrote to stderr with all messages on.
 */
export function explainGpuLog(log: string): string {
  const libraries = [
    ...new Set(
      [...log.matchAll(/(?:Could not load dynamic library|cannot open shared object file.*?|dlerror:) '?(lib[\w.+-]+\.so[.\d]*)/g)].map(
        (match) => match[1]!,
      ),
    ),
  ];
  if (libraries.length > 0) return `it does not find ${libraries.join(", ")}: run damlab setup native --gpu again`;
  const mismatch = /(kernel version [\d.]+ does not match DSO version [\d.]+)/.exec(log)?.[1];
  if (mismatch) return `the driver's parts differ (${mismatch}): restart the machine`;
  const cuda = /(CUDA_ERROR_\w+)/.exec(log)?.[1];
  if (cuda) return `CUDA says ${cuda}: see what nvidia-smi says; an unusable device often needs a restart`;
  const skipped = /(Cannot dlopen some GPU libraries)/.exec(log)?.[1];
  if (skipped) return "it does not find CUDA's libraries: run damlab setup native --gpu again";
  const capability = /(compute capability \d+\.\d+)[^\n]*(?:minimum required|not supported|older)/i.exec(log)?.[1];
  if (capability) return `the device's ${capability} is too old for this TensorFlow: try an older one with --tensorflow`;
  return "it registers no device and says no reason; DAMLAB_DEBUG=1 shows all of its log";
}

/** CUDA's libraries that an installation carries, those that others need first. */
export function cudaLibraries(folder: string): string[] {
  const nvidia = path.join(folder, "nvidia");
  if (!existsSync(nvidia)) return [];
  const rank = (file: string): number => {
    const found = ORDER.findIndex((name) => path.basename(file).startsWith(`lib${name}.so`));
    return found < 0 ? ORDER.length : found;
  };
  const files = readdirSync(nvidia, { recursive: true, encoding: "utf8" }).filter((name) => /\.so\.\d+$/.test(name));
  return files
    .map((name) => path.join(nvidia, name))
    .filter((file) => rank(file) < ORDER.length)
    .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}

const ORDER = ["cudart", "nvJitLink", "cublasLt", "cublas", "cufft", "curand", "cusparse", "cusolver", "nccl", "cupti", "cudnn"];
