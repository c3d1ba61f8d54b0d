/** Worker entry: builds one member, and says on a channel how far it is. */
import { BroadcastChannel } from "node:worker_threads";
import { startWorkerEngine } from "../engine";
import { buildMember as build, type BuiltMember, type MemberRequest } from "./member";
import { channelProgress } from "./progressChannel";

/** Runs `buildMember` on this thread's engine. */
export async function buildMember({ request, channel }: { request: MemberRequest; channel: string }): Promise<BuiltMember> {
  await startWorkerEngine();
  const messages = new BroadcastChannel(channel);
  try {
    return await build(request, channelProgress(messages));
  } finally {
    messages.close();
  }
}
