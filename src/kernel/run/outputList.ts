import { type NotebookOutput, toLines } from "./notebook";
import type { Message } from "../wire/message";

type Fields = Readonly<Record<string, unknown>>;

/** Outputs of one cell, gathered from its messages as a notebook keeps them. */
export class OutputList {
  readonly outputs: NotebookOutput[] = [];
  private clearNext = false;

  /** @param displays Outputs of all cells that can be updated, by their display id. */
  constructor(private readonly displays: Map<string, { list: OutputList; index: number }[]>) {}

  add({ header, content }: Message): void {
    switch (header.msg_type) {
      case "stream":
        return this.addStream(content.name as string, content.text as string);
      case "execute_result":
      case "display_data":
        return this.addBundle(header.msg_type, content);
      case "update_display_data":
        return this.update(content);
      case "error": {
        const { ename, evalue, traceback } = content;
        return this.push({ output_type: "error", ename, evalue, traceback });
      }
      case "clear_output":
        if (content.wait === true) this.clearNext = true;
        else this.outputs.length = 0;
    }
  }

  private addStream(name: string, text: string): void {
    const last = this.clearNext ? undefined : this.outputs.at(-1);
    if (last?.output_type === "stream" && last.name === name) {
      const whole = overwritten((last.text as string[]).join("") + text);
      this.outputs[this.outputs.length - 1] = { ...last, text: toLines(whole) };
    } else this.push({ output_type: "stream", name, text: toLines(overwritten(text)) });
  }

  private addBundle(type: string, { data, metadata, execution_count, transient }: Fields): void {
    const count = type === "execute_result" ? { execution_count } : {};
    this.push({ output_type: type, ...bundleFields(data, metadata), ...count });
    const id = (transient as { display_id?: string } | undefined)?.display_id;
    if (id !== undefined) this.displays.set(id, [...(this.displays.get(id) ?? []), { list: this, index: this.outputs.length - 1 }]);
  }

  private update({ data, metadata, transient }: Fields): void {
    const id = (transient as { display_id?: string } | undefined)?.display_id ?? "";
    for (const { list, index } of this.displays.get(id) ?? []) {
      const shown = list.outputs[index];
      if (shown !== undefined) list.outputs[index] = { ...shown, ...bundleFields(data, metadata) };
    }
  }

  private push(output: NotebookOutput): void {
    if (this.clearNext) this.outputs.length = 0;
    this.clearNext = false;
    this.outputs.push(output);
  }
}

/** Text formats as lines, JSON formats as they are. */
function bundleFields(data: unknown, metadata: unknown): { data: Fields; metadata: unknown } {
  const formats = Object.entries(data as Fields).map(([type, value]) => [
    type,
    typeof value === "string" && !/^image\/(?!svg)/.test(type) ? toLines(value) : value,
  ]);
  return { data: Object.fromEntries(formats) as Fields, metadata };
}

/** What a terminal would still show of each line after its carriage returns. */
function overwritten(text: string): string {
  return text.replace(/[^\n]*\r(?=[^\r\n])/g, "");
}
