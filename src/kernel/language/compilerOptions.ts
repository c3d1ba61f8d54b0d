import * as ts from "typescript";

/**
 * How cells are checked and compiled: as strict as errors of substance ask for. That a type is missing is no error (`isMissingType`), but with
 * `noImplicitAny` TypeScript finds the types of `const list = []` and `let best = null` from what is put there.
 */
export function compilerOptions(): ts.CompilerOptions {
  return {
    target: ts.ScriptTarget.ES2022,
    libReplacement: false,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    types: [],
    strict: true,
    noImplicitThis: false,
    useUnknownInCatchVariables: false,
    esModuleInterop: true,
    resolveJsonModule: true,
    allowImportingTsExtensions: true,
    allowJs: true,
    checkJs: false,
    maxNodeModuleJsDepth: 0,
    skipLibCheck: true,
    allowUnreachableCode: true,
    allowUnusedLabels: true,
    preserveConstEnums: true,
    sourceMap: true,
    removeComments: true,
    newLine: ts.NewLineKind.LineFeed,
  };
}

/** How local modules that cells import are compiled. */
export function moduleOptions(): ts.CompilerOptions {
  return {
    ...compilerOptions(),
    module: ts.ModuleKind.CommonJS,
    moduleResolution: ts.ModuleResolutionKind.Node10,
    allowImportingTsExtensions: false,
  };
}
