import assert from "node:assert/strict";
import { TestKernel } from "./client";

describe("kernel protocol", () => {
  let kernel: TestKernel;
  before(async () => (kernel = await TestKernel.start()));
  after(() => kernel.stop());

  it("kernel_info_request is answered between busy and idle", async () => {
    const { reply, published } = await kernel.request("kernel_info_request");
    assert.equal(reply.type, "kernel_info_reply");
    assert.deepEqual([reply.content.status, reply.content.protocol_version, reply.content.language_info.name], ["ok", "5.4", "typescript"]);
    assert.deepEqual(
      published.map(({ content }) => content.execution_state),
      ["busy", "idle"],
    );
  });

  it("headers carry a session of the kernel's own", async () => {
    const { reply } = await kernel.request("kernel_info_request");
    assert.notEqual(reply.header.session, kernel.session);
    assert.equal(reply.parentHeader.session, kernel.session);
  });

  it("execute_request publishes input, result and status, and replies", async () => {
    const { reply, published, result } = await kernel.execute("1 + 1");
    assert.equal(result, "2");
    assert.deepEqual(
      published.map(({ type }) => type),
      ["status", "execute_input", "execute_result", "status"],
    );
    assert.deepEqual([reply.content.status, reply.content.payload, reply.content.user_expressions], ["ok", [], {}]);
  });

  it("streams go to stdout and stderr", async () => {
    const { stdout, stderr } = await kernel.execute('console.log("out"); console.error("err")');
    assert.deepEqual([stdout, stderr], ["out\n", "err\n"]);
  });

  it("an error is published and replied with name, value and traceback", async () => {
    const { reply, published } = await kernel.execute('function fail() {\n  throw new RangeError("too far");\n}\nfail()');
    const error = published.find(({ type }) => type === "error")!;
    assert.deepEqual([error.content.ename, error.content.evalue], ["RangeError", "too far"]);
    assert.deepEqual(
      [reply.content.status, reply.content.ename, reply.content.traceback],
      ["error", "RangeError", error.content.traceback],
    );
    assert.match(error.content.traceback.join("\n"), /at fail \(In\[\d+\]:2:\d+\)/);
  });

  it("a type error is an error before anything runs, unless %notypecheck says otherwise", async () => {
    const { reply, stdout } = await kernel.execute('console.log("ran");\nconst wrong: string = 3;');
    assert.deepEqual([reply.content.ename, stdout], ["TS2322", ""]);
    assert.match(reply.content.traceback.join("\n"), /at In\[\d+\]:2:7/);
    assert.equal((await kernel.execute("%notypecheck\nconst wrong: string = 3;\nwrong")).result, "3");
  });

  it("silent and store_history leave the count", async () => {
    const { reply: before } = await kernel.execute("1");
    const silent = await kernel.execute("2", { silent: true });
    assert.deepEqual(
      silent.published.map(({ type }) => type),
      ["status", "status"],
    );
    await kernel.execute("3", { store_history: false });
    const { reply: after } = await kernel.execute("4");
    assert.equal(after.content.execution_count, before.content.execution_count + 1);
  });

  it("user_expressions are evaluated after the cell", async () => {
    const { reply } = await kernel.execute("const forty = 40;", { user_expressions: { sum: "forty + 2", wrong: "missing" } });
    assert.equal(reply.content.user_expressions.sum.data["text/plain"], "42");
    assert.deepEqual(
      [reply.content.user_expressions.wrong.status, reply.content.user_expressions.wrong.ename],
      ["error", "ReferenceError"],
    );
  });

  it("stop_on_error aborts what waits", async () => {
    // The failure must not come before the others have been received.
    const failing = "await new Promise((go) => setTimeout(go, 1000)); throw new Error()";
    const ids = [await kernel.begin(failing), await kernel.begin("1"), await kernel.begin("2")];
    const answers = await Promise.all(ids.map((id) => kernel.answer(id)));
    assert.deepEqual(
      answers.map(({ reply }) => reply.content.status),
      ["error", "aborted", "aborted"],
    );
    const going = [await kernel.begin("throw new Error()", { stop_on_error: false }), await kernel.begin("1")];
    assert.deepEqual(
      (await Promise.all(going.map((id) => kernel.answer(id)))).map(({ reply }) => reply.content.status),
      ["error", "ok"],
    );
  });

  it("a wrong signature and a replay are refused, and the kernel goes on", async () => {
    const { frames, id } = kernel.compose("kernel_info_request", {});
    await kernel.sockets.shell.send([frames[0]!, "0".repeat(64), ...frames.slice(2)]);
    await kernel.request("kernel_info_request");
    assert.equal(kernel.of(id).length, 0);
    await kernel.sockets.shell.send(frames);
    await kernel.answer(id);
    await kernel.sockets.shell.send(frames);
    await kernel.request("kernel_info_request");
    assert.equal(kernel.of(id).filter(({ content }) => content.execution_state === "idle").length, 1);
  });

  it("input() asks the client, and fails where the client takes no questions", async () => {
    const id = await kernel.begin('const name = await input("Name? "); name');
    const question = await kernel.message("input_request", id);
    assert.deepEqual(question.content, { prompt: "Name? ", password: false });
    await kernel.send("input_reply", { value: "Ada" }, "stdin");
    assert.equal((await kernel.answer(id)).result, "'Ada'");
    assert.equal((await kernel.execute("await input()", { allow_stdin: false })).reply.content.ename, "StdinNotImplementedError");
  });

  it("history_request knows tail, range and search", async () => {
    await kernel.execute("'first'");
    await kernel.execute("'second'");
    const history = async (content: object) =>
      (await kernel.request("history_request", { raw: true, output: false, ...content })).reply.content.history;
    const [first, second] = await history({ hist_access_type: "tail", n: 2 });
    assert.deepEqual([first[2], second[2]], ["'first'", "'second'"]);
    assert.deepEqual(await history({ hist_access_type: "range", session: 0, start: first[1], stop: second[1] }), [first]);
    assert.deepEqual(await history({ hist_access_type: "search", pattern: "'sec*" }), [second]);
    assert.deepEqual((await history({ hist_access_type: "tail", n: 1, output: true }))[0][2], ["'second'", "'second'"]);
  });

  it("two questions at once are asked one after the other, and those of a cell that has failed are forgotten", async () => {
    const id = await kernel.begin('await Promise.all([input("first"), input("second")])');
    for (const prompt of ["first", "second"]) {
      await kernel.until(() => kernel.received(id).find(({ content }) => content.prompt === prompt), prompt);
      await kernel.send("input_reply", { value: `${prompt} answer` }, "stdin");
    }
    assert.equal((await kernel.answer(id)).result, "[ 'first answer', 'second answer' ]");
    await kernel.execute('await Promise.all([input("nobody answers"), Promise.reject(new Error())])');
    const next = await kernel.begin('await input("next")');
    assert.equal((await kernel.message("input_request", next)).content.prompt, "next");
    await kernel.send("input_reply", { value: "" }, "stdin");
    await kernel.answer(next);
  });

  it("history_request searches for one of several characters", async () => {
    for (const code of ["'glob a'", "'glob b'", "'glob c'"]) await kernel.execute(code);
    const found = async (pattern: string): Promise<string[]> =>
      (await kernel.request("history_request", { hist_access_type: "search", pattern })).reply.content.history.map(
        (row: string[]) => row[2],
      );
    assert.deepEqual(await found("'glob [ab]'"), ["'glob a'", "'glob b'"]);
    assert.deepEqual(await found("'glob [^a-b]'"), ["'glob c'"]);
    assert.deepEqual(await found("'glob [a'"), []);
  });

  it("an unknown comm target is closed at once, also in a busy loop", async () => {
    const busy = await kernel.begin('console.log("busy"); for (;;) {}');
    await kernel.printed(busy);
    const id = await kernel.send("comm_open", { comm_id: "lost", target_name: "nobody", data: {} });
    await kernel.until(() => kernel.of(id).find(({ content }) => content.execution_state === "idle"), "idle");
    assert.deepEqual(
      kernel.of(id).map(({ type, content }) => [type, content.comm_id]),
      [
        ["status", undefined],
        ["comm_close", "lost"],
        ["status", undefined],
      ],
    );
    await kernel.request("interrupt_request", {}, "control");
    await kernel.answer(busy);
  });

  it("comm_info lists the comms that are open; they end with the process of their cells", async () => {
    await kernel.execute(
      'import { comms } from "damlab/kernel";\ncomms.registerTarget("echo", (comm) => (comm.onMessage = (data) => comm.send(data)));',
    );
    await kernel.send("comm_open", { comm_id: "kept", target_name: "echo", data: {} });
    await kernel.send("comm_msg", { comm_id: "kept", data: { n: 1 } });
    const echo = await kernel.until(() => kernel.published.find(({ type }) => type === "comm_msg"), "comm_msg");
    assert.deepEqual(echo.content, { comm_id: "kept", data: { n: 1 } });
    assert.deepEqual((await kernel.request("comm_info_request", {})).reply.content.comms, { kept: { target_name: "echo" } });
    await kernel.execute("process.exit()");
    assert.deepEqual((await kernel.request("comm_info_request", {})).reply.content.comms, {});
    assert.ok(kernel.published.find(({ type, content }) => type === "comm_close" && content.comm_id === "kept"));
  });

  it("connect_request is answered with the ports", async () => {
    const { content } = (await kernel.request("connect_request")).reply;
    assert.deepEqual(Object.keys(content), ["status", "shell_port", "control_port", "iopub_port", "stdin_port", "hb_port"]);
    assert.equal(`tcp://127.0.0.1:${content.shell_port}`, kernel.sockets.shell.lastEndpoint);
  });

  it("an unknown request is answered with an error", async () => {
    const { reply } = await kernel.request("teleport_request");
    assert.deepEqual([reply.type, reply.content.status], ["teleport_reply", "error"]);
  });

  it("a subscription is welcomed", async () => {
    kernel.sockets.iopub.subscribe("some.topic");
    const welcome = await kernel.until(
      () => kernel.published.find(({ type, content }) => type === "iopub_welcome" && content.subscription === "some.topic"),
      "iopub_welcome",
    );
    assert.equal(welcome.topic, "some.topic");
  });

  it("shutdown_request on control echoes restart and ends the process", async () => {
    const ended = new Promise((resolve) => kernel.process.once("exit", resolve));
    const id = await kernel.send("shutdown_request", { restart: true }, "control");
    const reply = await kernel.message("shutdown_reply", id);
    assert.deepEqual([reply.content.status, reply.content.restart], ["ok", true]);
    assert.equal(await ended, 0);
  });
});
