import { z } from "zod";
import type { MethodTable } from "../merging";
import { allMethods } from "./allMethods";

/** Markdown of a table of methods: reference, options, defaults, meaning. */
export function describeMethods(table: MethodTable = allMethods): string {
  return [...table.values()]
    .map(({ name, title, kind, reference, options, defaults, texts }) => {
      const { properties = {} } = z.toJSONSchema(options, { io: "input", unrepresentable: "any" }) as {
        properties?: Readonly<Record<string, { readonly enum?: readonly unknown[] }>>;
      };
      const rows = Object.entries(defaults).map(([option, value]) => {
        const values = properties[option]?.enum?.map((known) => `\`${String(known)}\``).join(", ");
        const meaning = (texts as Readonly<Record<string, string>>)[option];
        return `| \`${option}\` | \`${String(value)}\` | ${meaning}${values === undefined ? "" : ` (${values})`} |`;
      });
      return [
        `### ${title}: \`${name}\``,
        `${reference}. ${kind === "data-free" ? "Looks at parameters only." : "Adapts to unlabelled images."}`,
        rows.length === 0 ? "No options." : ["| option | default | meaning |", "| --- | --- | --- |", ...rows].join("\n"),
      ].join("\n\n");
    })
    .join("\n\n");
}
