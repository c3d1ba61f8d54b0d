import { dirname, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import tseslint from "typescript-eslint";

/** The rooms of src, in the order in which the work flows through them: each imports only from those above it. */
const ROOMS = [
  "display",
  "engine",
  "checkpoints",
  "models",
  "tasks",
  "training",
  "attacks",
  "evaluation",
  "zoo",
  "merging",
  "dam",
  "defenses",
  "selection",
  "figures",
  "cells",
  "cli",
];

/** Rooms that stand apart, with all that they may import; the command alone may call them. */
const APART = { display: [], kernel: ["display"] };

const ROOT = dirname(fileURLToPath(import.meta.url));

/** The room of a file of src; "" for `src/index.ts`, undefined outside of src. */
function roomOf(path) {
  const parts = relative(ROOT, path).split(sep);
  return parts[0] === "src" ? (parts.length > 2 ? parts[1] : "") : undefined;
}

function mayImport(from, to) {
  if (from === to) return true;
  if (from === "") return to !== "cli";
  if (from in APART) return APART[from].includes(to);
  if (to in APART && to !== "display") return from === "cli";
  return ROOMS.indexOf(to) < ROOMS.indexOf(from);
}

const roomBoundaries = {
  meta: { type: "problem", schema: [] },
  create(context) {
    const from = roomOf(context.filename);
    function check(node) {
      const source = node.source?.value;
      if (from === undefined || typeof source !== "string") return;
      if (from === "kernel" && source.startsWith("@tensorflow/")) context.report({ node, message: "The kernel never imports TensorFlow" });
      if (/^damlab($|\/)/.test(source)) context.report({ node, message: "Import from the room by a relative path" });
      if (!source.startsWith(".")) return;
      const to = roomOf(resolve(dirname(context.filename), source));
      if (to === undefined) context.report({ node, message: `"${source}" is outside of src` });
      else if (!mayImport(from, to))
        context.report({ node, message: `Room "${from}" must not import from "${to}": see the list in eslint.config.mjs` });
    }
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check,
      Program(node) {
        if (from && !ROOMS.includes(from) && !(from in APART))
          context.report({ node, message: `Room "${from}" is not in the list of rooms` });
      },
    };
  },
};

const exportDocs = {
  meta: { type: "suggestion", schema: [] },
  create(context) {
    return {
      "ExportNamedDeclaration[declaration]"(node) {
        // The signatures of an overloaded function share the first one's docstring.
        if (node.declaration.type === "TSDeclareFunction" || node.declaration.type === "FunctionDeclaration") {
          const siblings = node.parent.body;
          const before = siblings[siblings.indexOf(node) - 1]?.declaration;
          if (before?.type === "TSDeclareFunction" && before.id.name === node.declaration.id.name) return;
        }
        if (context.filename.endsWith(".d.ts")) return;
        const comment = context.sourceCode.getCommentsBefore(node).at(-1);
        if (comment?.type !== "Block" || !comment.value.startsWith("*")) context.report({ node, message: "An export needs a docstring" });
      },
    };
  },
};

const house = { rules: { "room-boundaries": roomBoundaries, "export-docs": exportDocs } };

export default tseslint.config(
  { ignores: ["dist/", "docs/api/", "results/", "data/", "node_modules/", "**/*.ipynb", "**/*.as.ts", "**/*.wasm.ts"] },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.recommended],
    plugins: { house },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/consistent-type-imports": ["error", { disallowTypeAnnotations: false, fixStyle: "inline-type-imports" }],
      "no-restricted-syntax": ["error", { selector: "ExportDefaultDeclaration", message: "Named exports only" }],
      "house/room-boundaries": "error",
      eqeqeq: "error",
      "no-var": "error",
      "prefer-const": "error",
    },
  },
  {
    files: ["src/**/*.ts"],
    languageOptions: { parserOptions: { project: "./tsconfig.json", tsconfigRootDir: ROOT } },
    rules: {
      "house/export-docs": "error",
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "no-restricted-properties": [
        "error",
        { object: "Math", property: "random", message: "Randomness comes from src/engine/random.ts, by seed and name" },
      ],
    },
  },
);
