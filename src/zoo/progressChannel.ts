/** Progress of worker threads, shown by the thread that the user sees. */
import { BroadcastChannel, threadId } from "node:worker_threads";
import type { ProgressOptions, ProgressSink, ProgressTask, ProgressUpdate } from "../display/progress";

type Message =
  | { readonly kind: "start"; readonly task: string; readonly name: string; readonly options: ProgressOptions }
  | { readonly kind: "update"; readonly task: string; readonly update: ProgressUpdate }
  | { readonly kind: "finish"; readonly task: string; readonly note: string | undefined };

let count = 0;

/** A sink that sends everything to the channel. */
export function channelProgress(channel: BroadcastChannel): ProgressSink {
  const post = (message: Message): void => channel.postMessage(message);
  return {
    start(name, options = {}) {
      const task = `${threadId}.${count++}`;
      post({ kind: "start", task, name, options });
      return {
        update: (update) => post({ kind: "update", task, update }),
        finish: (note) => post({ kind: "finish", task, note }),
      };
    },
  };
}

/** Shows what arrives on the channel, until the returned function is called. */
export function showChannelProgress(name: string, progress: ProgressSink): () => void {
  const channel = new BroadcastChannel(name);
  const tasks = new Map<string, ProgressTask>();
  channel.onmessage = (event: unknown) => {
    const message = (event as { data: Message }).data;
    if (message.kind === "start") tasks.set(message.task, progress.start(message.name, message.options));
    else if (message.kind === "update") tasks.get(message.task)?.update(message.update);
    else {
      tasks.get(message.task)?.finish(message.note);
      tasks.delete(message.task);
    }
  };
  return () => {
    for (const task of tasks.values()) task.finish("interrupted");
    channel.close();
  };
}
