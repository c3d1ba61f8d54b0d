import { ChildHost } from "./childHost";
import { CommTable } from "./comms";
import { InterruptState, pendingSignals } from "./interrupts";
import type { Kernel, KernelOptions, Request } from "./kernel";
import type { Content, Header, Message } from "./message";
import { Outputs } from "./outputs";
import type { Bundle, ErrorReport, Event, ExpressionReply } from "../link/messages";

type DoneEvent = Extract<Event, { type: "done" }>;

/** One run of a cell. */
interface Execution {
  readonly cell: number;
  readonly count: number;
  readonly request: Request;
  readonly payload: Content[];
  settle(outcome: DoneEvent | ErrorReport): void;
  evaluated?: (replies: Readonly<Record<string, ExpressionReply>>) => void;
}

/** What an execution ended with. */
interface Outcome {
  readonly result?: Bundle;
  readonly error?: ErrorReport;
}

/** Runs execute requests one after the other in the child, and gives their output and replies to the client. */
export class Executions {
  private readonly child: ChildHost;
  readonly comms: CommTable;
  private readonly outputs: Outputs;
  private readonly interrupts: InterruptState;
  private queue: Request[] = [];
  private current: Execution | undefined;
  private cells = 0;
  private count = 0;
  private closed = false;
  /** The running cell was interrupted. */
  private signalled = false;

  constructor(
    private readonly kernel: Kernel,
    private readonly options: KernelOptions,
  ) {
    this.child = new ChildHost(options.cwd, {
      onEvent: (event) => this.onEvent(event),
      onRaw: (name, text) => this.outputs.stream(this.cells, name, text),
      onEnd: (reason) => this.onChildEnd(reason),
    });
    this.comms = new CommTable(kernel, this.child);
    this.outputs = new Outputs(kernel, (until) => this.child.hold(until));
    this.interrupts = new InterruptState(this.child, (text) => this.outputs.stream(this.cells, "stderr", text));
  }

  start(): void {
    this.child.start();
  }

  /** Header of the request whose code runs now. */
  get running(): Header | undefined {
    return this.current?.request.message.header;
  }

  enqueue(request: Request): void {
    this.queue.push(request);
    if (this.queue.length === 1) void this.work();
  }

  /** What SIGINT or an interrupt request asks for. */
  interrupt(): void {
    if (this.current === undefined) {
      this.child.interrupt(0);
      return this.child.send({ type: "forget_signals" });
    }
    this.signalled = true;
    this.interrupts.request();
    if (this.interrupts.inChild) return;
    this.child.interrupt(0);
    this.options.language.abandon();
    this.current.settle(interruptedReport());
  }

  inputReply({ content }: Message): void {
    if (this.interrupts.inputId === undefined) return;
    this.child.send({ type: "input_reply", id: this.interrupts.inputId, value: String(content.value ?? "") });
  }

  /** Resolves when no process runs cells any more. */
  close(): Promise<void> {
    this.closed = true;
    this.interrupts.end();
    this.outputs.flush();
    return this.child.close();
  }

  private async work(): Promise<void> {
    for (let request = this.queue[0]; request !== undefined; request = this.queue[0]) {
      const aborted = await this.execute(request);
      if (this.closed) return;
      await pendingSignals();
      if (this.signalled) this.child.send({ type: "forget_signals" });
      this.signalled = false;
      this.queue.shift();
      for (const waiting of aborted) await this.abort(waiting);
    }
  }

  private async abort(request: Request): Promise<void> {
    const { header } = request.message;
    this.kernel.status("busy", header);
    await this.kernel.reply(request, { status: "aborted", execution_count: this.count });
    this.kernel.status("idle", header);
  }

  /** @returns The requests that its failure aborts: those that waited before its reply was sent. */
  private async execute(request: Request): Promise<readonly Request[]> {
    const { header, content } = request.message;
    const code = String(content.code ?? "");
    const silent = content.silent === true;
    const store = content.store_history !== false && !silent;
    if (store) this.count++;
    const cell = ++this.cells;
    this.outputs.register(cell, header);
    this.kernel.status("busy", header);
    if (!silent) this.outputs.publish(cell, "execute_input", { code, execution_count: this.count });
    const payload: Content[] = [];
    const outcome = await this.run(cell, request, code, payload);
    const { result, error } = outcome;
    if (result !== undefined && !silent) this.outputs.publish(cell, "execute_result", { ...result, execution_count: this.count });
    if (error !== undefined) this.outputs.publish(cell, "error", { ...error });
    if (store) this.options.history.add(this.count, code, result === undefined ? null : String(result.data["text/plain"] ?? ""));
    const expressions = error === undefined ? await this.evaluate(header, content.user_expressions) : {};
    this.outputs.flush();
    const status =
      error === undefined
        ? { status: "ok", payload, user_expressions: expressions }
        : { status: "error", ...error, payload, user_expressions: {} };
    this.current = undefined;
    const aborted = error !== undefined && content.stop_on_error !== false ? this.queue.splice(1) : [];
    await this.kernel.reply(request, { ...status, execution_count: this.count });
    this.kernel.status("idle", header);
    return aborted;
  }

  private async run(cell: number, request: Request, code: string, payload: Content[]): Promise<Outcome> {
    const { promise, settle } = settled<DoneEvent | ErrorReport>();
    this.current = { cell, count: this.count, request, payload, settle };
    const { language } = this.options;
    const name = `In[${this.count}]`;
    try {
      const compiled = await Promise.race([language.compile(cell, name, code), promise]);
      if ("ename" in compiled) return { error: compiled };
      if (!("code" in compiled)) return {};
      this.interrupts.begin(cell);
      const { actions, modules } = compiled;
      const allowStdin = request.message.content.allow_stdin !== false;
      this.child.send({ type: "execute", cell, name, code: compiled.code, modules, actions, allowStdin });
      const done = await promise;
      if ("ename" in done) return { error: done };
      await this.child.drain(cell);
      language.commit(cell, done.names);
      return { ...(done.result && { result: done.result }), ...(done.error && { error: done.error }) };
    } catch (failure) {
      // The language service has failed, not the cell.
      return { error: errorReport("KernelError", String(failure)) };
    } finally {
      this.interrupts.end();
    }
  }

  private async evaluate(header: Header, expressions: unknown): Promise<Readonly<Record<string, ExpressionReply>>> {
    if (typeof expressions !== "object" || expressions === null || Object.keys(expressions).length === 0) return {};
    const compiled = await this.options.language.compileExpressions(expressions as Record<string, string>);
    const replies = new Promise<Readonly<Record<string, ExpressionReply>>>((resolve) => (this.current!.evaluated = resolve));
    // A number of its own, so that nothing that was meant for the cell itself reaches it.
    const cell = ++this.cells;
    this.outputs.register(cell, header);
    this.interrupts.begin(cell);
    this.child.send({ type: "evaluate", cell, expressions: compiled.code });
    const evaluated = await replies;
    this.interrupts.end();
    return { ...compiled.failed, ...evaluated };
  }

  private onEvent(event: Event): void {
    const { current, outputs } = this;
    switch (event.type) {
      case "stream":
        return outputs.stream(event.cell, event.name, event.text);
      case "display": {
        const { data, metadata, transient } = event;
        return outputs.publish(event.cell, event.update ? "update_display_data" : "display_data", { data, metadata, transient });
      }
      case "clear_output":
        return outputs.publish(event.cell, "clear_output", { wait: event.wait });
      case "page":
        current?.payload.push({ source: "page", data: event.data, start: 0 });
        return;
      case "comm":
        outputs.flush();
        return this.comms.fromChild(event, outputs.parentOf(event.cell));
      case "comm_target":
        return this.comms.addTarget(event.name);
      case "input_request":
        outputs.flush();
        this.interrupts.inputId = event.id;
        if (current !== undefined) this.kernel.requestInput(current.request, { prompt: event.prompt, password: event.password });
        return;
      case "interrupted":
        return this.interrupts.acknowledge(event.asked);
      case "listening":
        this.interrupts.cooperative = event.cooperative;
        return;
      case "evaluated":
        return current?.evaluated?.(event.replies);
      case "done":
        if (event.cell === current?.cell) current.settle(event);
    }
  }

  private onChildEnd(reason: string): void {
    if (this.closed) return;
    const report = this.interrupts.killed
      ? errorReport("KernelInterruptedStateLost", "The cell was ended by a second interrupt; all variables and imports are lost")
      : errorReport("KernelStateLost", `The process that ran the cells ended (${reason}); all variables and imports are lost`);
    this.options.language.reset();
    this.comms.closeAll();
    this.interrupts.cooperative = false;
    this.child.start();
    if (this.current === undefined) this.outputs.stream(this.cells, "stderr", `${report.evalue}. A new one has started.\n`);
    this.current?.evaluated?.({});
    this.current?.settle(report);
  }
}

function errorReport(ename: string, evalue: string): ErrorReport {
  return { ename, evalue, traceback: [`\u001b[31m${ename}\u001b[39m: ${evalue}`] };
}

function interruptedReport(): ErrorReport {
  return errorReport("KernelInterrupted", "The cell was interrupted");
}

function settled<T>(): { promise: Promise<T>; settle: (value: T) => void } {
  let settle!: (value: T) => void;
  const promise = new Promise<T>((resolve) => (settle = resolve));
  return { promise, settle };
}
