import assert from "node:assert/strict";
import {
  barProgress,
  describeProgress,
  formatSeconds,
  lineProgress,
  notebookProgress,
  silentProgress,
  terminalProgress,
} from "../../src/display/progress";
import type { ProgressStream } from "../../src/display/progress";

class FakeStream implements ProgressStream {
  readonly columns = 100;
  text = "";
  constructor(readonly isTTY: boolean) {}
  write(text: string): void {
    this.text += text;
  }
}

describe("progress", () => {
  it("lineProgress() writes the first and last line and one every interval between", () => {
    const stream = new FakeStream(false);
    let now = 0;
    const task = lineProgress({ stream, interval: 1000, clock: () => now }).start("Train", { total: 100 });
    for (let step = 1; step <= 100; step++) {
      now += 50;
      task.update({ step, values: { loss: 1 / step } });
    }
    task.finish();
    // 100 steps of 50 ms are 5 s: shown at 1, 2, 3, 4 and 5 s, and at either end. 20 steps a second; at 1 s 80 steps = 4 s are left.
    const lines = stream.text.trimEnd().split("\n");
    assert.equal(lines.length, 7);
    assert.equal(lines[0], "Train  0/100 steps");
    assert.equal(lines[1], "Train  20/100 steps  loss 0.05  20 steps/s  4.0 s left");
    assert.equal(lines[6], "Train  100/100 steps  loss 0.01  20 steps/s  done after 5.0 s");
  });

  it("start() counts the rate of a resumed task from where it goes on", () => {
    const stream = new FakeStream(false);
    let now = 0;
    const task = lineProgress({ stream, interval: 0, clock: () => now }).start("Train", { total: 100, step: 80 });
    now = 2000;
    task.update({ step: 90 });
    // 10 steps in 2 s, 10 left.
    assert.match(stream.text, /90\/100 steps {2}5 steps\/s {2}2\.0 s left/);
  });

  it("finish() ends a task for good", () => {
    const stream = new FakeStream(false);
    const task = lineProgress({ stream, interval: 0, clock: () => 0 }).start("Train");
    task.finish("interrupted");
    const text = stream.text;
    task.update({ step: 5 });
    task.finish();
    assert.equal(stream.text, text);
    assert.match(text, /interrupted after 0\.0 s\n$/);
  });

  it("barProgress() draws over one line, inside the terminal's width, and leaves the last one", () => {
    const stream = new FakeStream(true);
    let now = 0;
    const task = barProgress({ stream, clock: () => now }).start("A name that is long enough to need cutting".repeat(3), { total: 2 });
    now = 200;
    task.update({ step: 1 });
    task.finish();
    assert.equal(stream.text.split("\n").length, 2);
    for (const line of stream.text.trimEnd().split("\r").slice(1)) assert.ok(line.replace("\x1b[K", "").length < 100, line);
    assert.match(stream.text, /█{10}░{10}/);
  });

  it("terminalProgress() draws a bar only where the stream is a terminal", () => {
    const [terminal, pipe] = [new FakeStream(true), new FakeStream(false)];
    terminalProgress({ stream: terminal }).start("Merge", { total: 1 });
    terminalProgress({ stream: pipe }).start("Merge", { total: 1 });
    assert.match(terminal.text, /░/);
    assert.equal(pipe.text, "Merge  0/1 steps\n");
  });

  it("notebookProgress() updates one output in place and escapes the name", () => {
    const shown: [string, string, boolean][] = [];
    let now = 0;
    const sink = notebookProgress((bundle, id, update) => shown.push([bundle["text/html"], id, update]), { clock: () => now });
    const task = sink.start("A <b>", { total: 4 });
    for (let step = 1; step <= 4; step++) {
      now += 150;
      task.update({ step });
    }
    task.finish();
    sink.start("B").finish();
    // 150 ms a step against an interval of 200 ms: shown at 300 and 600 ms, plus both ends; then two for B, with another id.
    assert.deepEqual(
      shown.map(([, , update]) => update),
      [false, true, true, true, false, true],
    );
    assert.equal(new Set(shown.slice(0, 4).map(([, id]) => id)).size, 1);
    assert.notEqual(shown[4]![1], shown[0]![1]);
    assert.match(shown[1]![0], /<progress value="2" max="4".*A &lt;b&gt;/);
  });

  it("silentProgress says nothing", () => {
    const task = silentProgress.start("Quiet");
    task.update({ step: 1 });
    assert.equal(task.finish(), undefined);
  });

  it("formatSeconds() speaks in the unit that fits", () => {
    assert.deepEqual([0.44, 9.96, 59.6, 200, 7500].map(formatSeconds), ["0.4 s", "10 s", "1 min 0 s", "3 min 20 s", "2 h 5 min"]);
  });

  it("describeProgress() rounds values to three digits", () => {
    const state = {
      name: "N",
      unit: "steps",
      step: 1,
      total: null,
      values: { loss: 0.123456 },
      rate: 1234.5,
      secondsLeft: null,
      seconds: 1,
      ended: null,
    };
    assert.equal(describeProgress(state), "N  1 steps  loss 0.123  1235 steps/s");
  });
});
