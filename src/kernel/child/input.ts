import { ownCell } from "./cells";
import { send } from "./channel";

const waiting = new Map<number, (value: string) => void>();
let count = 0;

/** Asks the client of the running cell for a line. @throws {Error} named StdinNotImplementedError where the client takes no questions. */
export function requestInput(prompt: string, password: boolean): Promise<string> {
  const own = ownCell();
  if (own?.allowStdin !== true) {
    const error = new Error("Cannot ask for input: this client does not support input requests");
    error.name = "StdinNotImplementedError";
    return Promise.reject(error);
  }
  const id = ++count;
  send({ type: "input_request", cell: own.cell, id, prompt, password });
  const answer = new Promise<string>((resolve) => waiting.set(id, resolve));
  return own.settle(answer);
}

/** Hands the client's answer to whoever asked. */
export function answerInput(id: number, value: string): void {
  waiting.get(id)?.(value);
  waiting.delete(id);
}
