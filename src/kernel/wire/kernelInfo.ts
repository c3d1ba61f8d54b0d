import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Content, PROTOCOL_VERSION } from "./message";

const packageFolder = join(__dirname, "..", "..", "..");

function versionOf(folder: string): string {
  return (JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string }).version;
}

/** The content of `kernel_info_reply`. */
export function kernelInfo(): Content {
  const version = versionOf(packageFolder);
  const typescript = versionOf(join(require.resolve("typescript"), "..", ".."));
  return {
    status: "ok",
    protocol_version: PROTOCOL_VERSION,
    implementation: "damlab",
    implementation_version: version,
    language_info: {
      name: "typescript",
      version: typescript,
      mimetype: "text/typescript",
      file_extension: ".ts",
      pygments_lexer: "typescript",
      codemirror_mode: { name: "javascript", typescript: true },
      nbconvert_exporter: "script",
    },
    banner: `damlab ${version}, TypeScript ${typescript}, Node ${process.version}`,
    help_links: [{ text: "TypeScript handbook", url: "https://www.typescriptlang.org/docs/handbook/" }],
    debugger: false,
    supported_features: [],
  };
}
