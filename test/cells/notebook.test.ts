import assert from "node:assert/strict";
import { inspect } from "node:util";
import { z } from "zod";
import { defineCell, notebookShowSymbol, show } from "../../src/cells";
import { defaultProgress } from "../../src/cells/notebook";
import { silentProgress } from "../../src/display/progress";

interface Message {
  readonly data: Readonly<Record<string, string>>;
  readonly transient: { readonly display_id?: string };
}

const shown = defineCell({
  name: "shown",
  version: 1,
  summary: "Shows itself",
  inputs: [],
  engine: false,
  parameters: z.object({}),
  run: () => ({ value: 1 }),
  text: ({ value }) => `value ${value}`,
  display: ({ value }) => ({ "text/html": `<b>${value}</b>` }),
}).with({ cache: null, progress: silentProgress });

describe("in a stock tslab kernel", () => {
  let sent: { message: Message; update: boolean }[];
  // The kernel sets this when a cell begins; nothing else marks a process as a tslab kernel.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const jupyter = require("tslab/dist/jupyter") as { lastWriteDisplayData: unknown };
  beforeEach(() => {
    sent = [];
    jupyter.lastWriteDisplayData = (message: Message, update: boolean) => sent.push({ message, update });
  });
  afterEach(() => {
    jupyter.lastWriteDisplayData = null;
  });

  it("a result that is printed shows itself through tslab's display", async () => {
    const result = await shown();
    assert.equal(inspect(result), `shown() → value  [${result.provenance.key.slice(0, 12)}]`);
    assert.deepEqual(
      sent.map(({ message }) => message.data),
      [{ "text/plain": "value 1", "text/html": "<b>1</b>" }],
    );
  });

  it("show() shows at once", async () => {
    await show(await shown());
    assert.deepEqual(
      sent.map(({ message }) => message.data),
      [{ "text/plain": "value 1", "text/html": "<b>1</b>" }],
    );
  });

  it("progress is one output that is updated", () => {
    const task = defaultProgress().start("Train", { total: 2 });
    task.finish();
    assert.deepEqual(
      sent.map(({ update }) => Boolean(update)),
      [false, true],
    );
    assert.equal(sent[0]!.message.transient.display_id, sent[1]!.message.transient.display_id);
    assert.match(sent[1]!.message.data["text/html"]!, /<progress value="0" max="2"/);
  });
});

describe("elsewhere", () => {
  it("a result that is printed is text", async () => {
    assert.equal(inspect(await shown()), "value 1");
  });

  it("show() prints text", async () => {
    const log = console.log;
    const lines: unknown[] = [];
    console.log = (line: unknown) => lines.push(line);
    try {
      await show(await shown());
      await show(3);
    } finally {
      console.log = log;
    }
    assert.deepEqual(lines, ["value 1", 3]);
  });

  it("show() goes through the display of damlab's own kernel", async () => {
    const api = Symbol.for("damlab.kernel.api");
    const calls: unknown[] = [];
    (globalThis as Record<symbol, unknown>)[api] = { display: (...given: unknown[]) => calls.push(given) };
    try {
      await show(await shown());
    } finally {
      delete (globalThis as Record<symbol, unknown>)[api];
    }
    assert.deepEqual(calls, [[{ "text/plain": "value 1", "text/html": "<b>1</b>" }, { raw: true }]]);
  });

  it("progress goes to a kernel that asks for it", () => {
    const updates: boolean[] = [];
    (globalThis as Record<symbol, unknown>)[notebookShowSymbol] = (_: unknown, __: string, update: boolean) => updates.push(update);
    try {
      defaultProgress().start("Train").finish();
    } finally {
      delete (globalThis as Record<symbol, unknown>)[notebookShowSymbol];
    }
    assert.deepEqual(updates, [false, true]);
  });
});
