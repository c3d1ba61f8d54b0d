import { type CellRun, ownCell } from "./cells";
import { send } from "./channel";

/** A question to the client. */
interface Question {
  readonly id: number;
  readonly run: CellRun;
  ask(): void;
  answer(value: string): void;
}

/** Clients show one question at a time: the first one was asked, the others wait. */
let questions: Question[] = [];
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
  // Questions of a cell that has ended get no answer any more.
  questions = questions.filter(({ run }) => run === own);
  const answer = new Promise<string>((resolve) => {
    const ask = (): void => send({ type: "input_request", cell: own.cell, id, prompt, password });
    if (questions.push({ id, run: own, ask, answer: resolve }) === 1) ask();
  });
  const settled = own.settle(answer);
  // Answered, or interrupted.
  settled.then(
    () => close(id),
    () => close(id),
  );
  return settled;
}

/** Hands the client's answer to whoever asked. */
export function answerInput(id: number, value: string): void {
  questions.find((question) => question.id === id)?.answer(value);
}

function close(id: number): void {
  const first = questions[0];
  questions = questions.filter((question) => question.id !== id);
  if (questions[0] !== first) questions[0]?.ask();
}
