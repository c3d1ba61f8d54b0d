import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./client";

const START = join(__dirname, "..", "..", "kernel-setup", "kernelspec", "start.cjs");

/** A client that starts a kernel, prints its process number and never ends. */
const CLIENT = `
  const { spawn } = require("node:child_process");
  const env = { ...process.env, DAMLAB_KERNEL_HISTORY: "" };
  if (process.argv[2] === "says so") env.JPY_PARENT_PID = String(process.pid);
  console.log(spawn(process.execPath, [${JSON.stringify(START)}, process.argv[1]], { stdio: "ignore", detached: true, env }).pid);
  setInterval(() => undefined, 1000);`;

describe("watchParent()", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "damlab-parent-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const after = async (words: readonly string[], wait: (kernel: number) => Promise<void>): Promise<void> => {
    const [shell, control, stdin, iopub, hb] = await Promise.all(Array.from({ length: 5 }, freePort));
    const file = join(folder, "connection.json");
    const ports = { shell_port: shell, control_port: control, stdin_port: stdin, iopub_port: iopub, hb_port: hb };
    writeFileSync(file, JSON.stringify({ transport: "tcp", ip: "127.0.0.1", key: "key", signature_scheme: "hmac-sha256", ...ports }));
    const client = spawn(process.execPath, ["-e", CLIENT, file, ...words], { stdio: ["ignore", "pipe", "inherit"] });
    const kernel = Number(await new Promise<string>((resolve) => client.stdout.once("data", (text: Buffer) => resolve(text.toString()))));
    try {
      await until(() => listens(hb!));
      client.kill("SIGKILL");
      await wait(kernel);
    } finally {
      client.kill("SIGKILL");
      if (lives(kernel)) process.kill(kernel, "SIGKILL");
    }
  };

  it("watchParent() ends a kernel whose client was killed", () => after(["says so"], (kernel) => until(async () => !lives(kernel))));

  it("watchParent() leaves a kernel alone whose starter does not say that it is the parent", () =>
    after([], async (kernel) => {
      await new Promise((resolve) => setTimeout(resolve, 2500));
      assert.ok(lives(kernel));
    }));
});

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => (socket.destroy(), resolve(true)));
    socket.once("error", () => resolve(false));
  });
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 30_000; !(await holds()); await new Promise((resolve) => setTimeout(resolve, 100)))
    if (Date.now() > end) throw new Error("Waited for 30 s");
}
