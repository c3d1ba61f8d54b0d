/** @file The wire process of the kernel: `node main.js CONNECTION_FILE`. It talks ZeroMQ to clients and never runs user code. */
import { join } from "node:path";
import envPaths from "env-paths";
import { Codec } from "./codec";
import { readConnectionFile } from "./connectionFile";
import { History } from "./history";
import { Kernel } from "./kernel";
import { watchParent } from "./parent";
import { KernelSockets } from "./sockets";
import { LanguageThread } from "../language/client";

/** Serves one client connection until a shutdown request. */
export async function serve(connectionFile: string): Promise<void> {
  const cwd = process.cwd();
  const language = new LanguageThread(cwd);
  const connection = readConnectionFile(connectionFile);
  const sockets = new KernelSockets(connection, new Codec(connection.key));
  const file = process.env.DAMLAB_KERNEL_HISTORY ?? join(envPaths("damlab", { suffix: "" }).data, "kernel-history.jsonl");
  const end = async (): Promise<never> => {
    // Also the process for user code: who has ended the kernel looks for what is left of it.
    await Promise.all([sockets.close(), kernel.close()]);
    process.exit(0);
  };
  const kernel = new Kernel(sockets, { cwd, language, history: new History(file === "" ? null : file), onShutdown: () => void end() });
  process.on("SIGINT", () => kernel.interrupt());
  const endQuietly = (): void => void end();
  process.on("SIGTERM", endQuietly);
  watchParent(endQuietly);
  kernel.start();
  await sockets.open(
    (channel, message) => kernel.receive(channel, message),
    (topic) => kernel.welcome(topic),
  );
}

/** Serves a connection file; a kernel that cannot start says why and ends with exit code 1. */
export async function main(connectionFile: string | undefined): Promise<void> {
  try {
    if (connectionFile === undefined) throw new TypeError("Cannot start kernel: expected the path of a connection file");
    await serve(connectionFile);
  } catch (error) {
    process.stderr.write(`damlab kernel: ${(error as Error).message}\n`);
    process.exit(1);
  }
}
