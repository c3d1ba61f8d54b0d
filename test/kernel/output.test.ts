import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { TestKernel } from "./client";

describe("kernel output", () => {
  let kernel: TestKernel;
  before(async () => (kernel = await TestKernel.start()));
  after(() => kernel.stop());

  it("late output goes to the cell that caused it, also after another has run", async () => {
    const early = await kernel.begin('setTimeout(() => { console.log("late"); display("shown late"); }, 300); "early"');
    await kernel.answer(early);
    await kernel.answer(await kernel.begin('console.log("other")'));
    const late = await kernel.until(() => kernel.published.find(({ content }) => content.text === "late\n"), "late output");
    assert.equal(late.parent, early);
    const shown = await kernel.until(() => kernel.published.find(({ type }) => type === "display_data"), "late display");
    assert.equal(shown.parent, early);
  });

  it("all output comes before idle: 40 cells", async () => {
    for (let n = 0; n < 40; n++)
      assert.equal((await kernel.execute(`for (let i = 0; i < 3; i++) console.log(${n} * i)`)).stdout, `0\n${n}\n${2 * n}\n`);
  });

  it("raw writes and child processes are captured, before idle", async () => {
    const code = `import { writeSync } from "node:fs";
      import { execSync, spawnSync } from "node:child_process";
      writeSync(1, "raw out\\n"); writeSync(2, "raw err\\n");
      execSync("echo from a child", { stdio: "inherit" });
      spawnSync("sh", ["-c", "echo to stderr >&2"], { stdio: "inherit" });`;
    const { stdout, stderr } = await kernel.execute(code);
    assert.deepEqual([stdout, stderr], ["raw out\nfrom a child\n", "raw err\nto stderr\n"]);
  });

  it("a flood of lines is a handful of messages, complete and in order", async () => {
    const { stdout, published } = await kernel.execute('for (let i = 0; i < 20_000; i++) console.log(`line ${i} ${"x".repeat(80)}`)');
    const lines = stdout.trimEnd().split("\n");
    assert.equal(lines.length, 20_000);
    assert.ok(lines.every((line, index) => line.startsWith(`line ${index} `)));
    const messages = published.filter(({ type }) => type === "stream").length;
    assert.ok(messages <= 100, `${messages} messages`);
  });

  it("stdout and stderr keep their order among few lines", async () => {
    const { published } = await kernel.execute("console.log(1); console.error(2); console.log(3)");
    const streams = published.filter(({ type }) => type === "stream").map(({ content }) => [content.name, content.text]);
    assert.deepEqual(streams, [
      ["stdout", "1\n"],
      ["stderr", "2\n"],
      ["stdout", "3\n"],
    ]);
  });

  it("streams take any encoding, and characters in parts", async () => {
    const code = `process.stdout.write(Buffer.from([0xc3])); process.stdout.write(Buffer.from([0xa9])); process.stdout.write("4142", "hex");`;
    assert.equal((await kernel.execute(code)).stdout, "éAB");
  });

  it("promises and traces are shown without what the kernel adds", async () => {
    assert.equal((await kernel.execute("[Promise.resolve(3)]")).result, "[ Promise { 3 } ]");
    assert.match((await kernel.execute('console.trace("here")')).stderr, /^Trace: here\n    at In\[\d+\]:1:9\n$/);
  });

  it("output that a busy loop writes comes while it is busy", async () => {
    const id = await kernel.begin('console.log("busy"); for (;;) {}');
    await kernel.printed(id, /^busy\n$/);
    await kernel.send("interrupt_request", {}, "control");
    assert.equal((await kernel.answer(id)).reply.content.status, "error");
  });

  it("display() shows, updates and clears", async () => {
    const code = `const handle = display({ "text/html": "<i>1</i>" }, { raw: true, displayId: "bar" });
      handle.update({ "text/html": "<i>2</i>" }); clearOutput({ wait: true });`;
    const { published, result } = await kernel.execute(code);
    const shown = published
      .filter(({ type }) => /display|clear/.test(type))
      .map(({ type, content }) => [type, content.data?.["text/html"] ?? content.wait]);
    assert.deepEqual(shown, [
      ["display_data", "<i>1</i>"],
      ["update_display_data", "<i>2</i>"],
      ["clear_output", true],
    ]);
    assert.equal(result, undefined);
  });

  it("an object shows itself by Symbol.for('Jupyter.display')", async () => {
    const { published } = await kernel.execute(
      `({ async [Symbol.for("Jupyter.display")]() { return { "text/plain": "me", "text/html": "<b>me</b>" }; } })`,
    );
    assert.deepEqual(published.find(({ type }) => type === "execute_result")!.content.data, {
      "text/plain": "me",
      "text/html": "<b>me</b>",
    });
  });

  it("plotly figures, tensors and data frames have formats of their own", async () => {
    const bundle = async (code: string) =>
      (await kernel.execute(code)).published.find(({ type }) => type === "execute_result")!.content.data;
    const figure = await bundle('({ data: [{ type: "bar", y: [1, 2] }], layout: { title: { text: "Two" } } })');
    assert.deepEqual(figure["application/vnd.plotly.v1+json"], {
      data: [{ type: "bar", y: [1, 2] }],
      layout: { title: { text: "Two" } },
      config: {},
    });
    assert.equal(figure["text/plain"], 'Figure "Two": 1 trace (bar)');
    const tensor = await bundle('({ dtype: "float32", shape: [2], dataSync: () => [1, 2], toString: () => "Tensor\\n    [1, 2]" })');
    assert.equal(tensor["text/plain"], "Tensor float32 [2]\n[1, 2]");
    const frame = await bundle('class DataFrame { columns = ["a<b"]; index = [0]; values = [[7]]; shape = [1, 1] }\nnew DataFrame()');
    assert.match(frame["text/html"], /<th>a&lt;b<\/th>.*<td>7<\/td>.*1 rows, 1 columns/);
    assert.equal((await bundle("new Map([[1, new Float32Array([0.5])]])"))["text/plain"], "Map(1) { 1 => Float32Array(1) [ 0.5 ] }");
  });

  it("the helpers of damlab/kernel and the display of tslab show their format", async () => {
    const code = `import { markdown } from "damlab/kernel";
      import * as tslab from "tslab";
      tslab.display.html("<b>1</b>"); const again = tslab.newDisplay(); again.text("2"); again.text("3"); markdown("*4*")`;
    const { published } = await kernel.execute(code);
    const shown = published.filter(({ content }) => content.data).map(({ type, content }) => [type, ...Object.values(content.data)]);
    assert.deepEqual(shown, [
      ["display_data", "<b>1</b>"],
      ["display_data", "2"],
      ["update_display_data", "3"],
      ["execute_result", "*4*", "*4*"],
    ]);
  });

  it("an error in a late callback is printed in its cell", async () => {
    const id = await kernel.begin('setTimeout(() => { throw new Error("late failure"); }, 50); 1');
    await kernel.answer(id);
    await kernel.printed(id, /late failure/);
    assert.equal((await kernel.execute("2")).result, "2");
  });

  it("a library that throws a rejection's error again does not end the process", async () => {
    // What Emscripten's modules do.
    await kernel.execute('process.on("unhandledRejection", (reason) => { throw reason; }); let alive = 1;');
    const { stderr } = await kernel.execute(
      'void Promise.reject(new Error("lonely")); await new Promise((resolve) => setTimeout(resolve, 20)).catch(() => {});',
    );
    assert.equal(stderr.match(/lonely/g)?.length ?? 0, 0);
    assert.equal((await kernel.execute("alive")).result, "1");
  });

  for (const [code, reason] of Object.entries({
    "process.exit(3)": "exit code 3",
    "process.abort()": "signal SIGABRT",
    "await 0; process.kill(process.pid, 'SIGKILL')": "signal SIGKILL",
  }))
    it(`${code} is an error, and the next cell runs in a new process`, async () => {
      const { reply, stdout } = await kernel.execute(`let gone = 1; console.log("before");\n${code}`);
      assert.deepEqual([reply.content.ename, stdout], ["KernelStateLost", "before\n"]);
      assert.match(reply.content.evalue, new RegExp(`${reason}.*lost`));
      assert.equal((await kernel.execute("gone")).reply.content.ename, "TS2304");
      assert.equal((await kernel.execute("1 + 1")).result, "2");
    });

  it("no process outlives a wire that was killed in a busy loop", async () => {
    const id = await kernel.begin("console.log(process.pid); for (;;) {}");
    const line = await kernel.printed(id);
    process.kill(kernel.process.pid!, "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 1000));
    // A process that has ended may stay listed as a zombie (Z).
    assert.match(spawnSync("ps", ["-o", "stat=", "-p", line.content.text.trim()], { encoding: "utf8" }).stdout.trim(), /^(Z.*)?$/);
  });
});
