import * as ts from "typescript";

/** How a name that a cell declares can be used later. */
export interface DeclaredName {
  readonly name: string;
  /** `variable` may be assigned by later cells. */
  readonly kind: "variable" | "constant" | "type";
  /** Declared with `export` by the cell itself. */
  readonly exported: boolean;
}

/** The names that statements at the top of a cell declare; the last declaration of a name counts, unless it is only a type. */
export function declaredNames(file: ts.SourceFile): Map<string, DeclaredName> {
  const names = new Map<string, DeclaredName>();
  for (const statement of file.statements) {
    const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
    const has = (kind: ts.SyntaxKind): boolean => modifiers.some((modifier) => modifier.kind === kind);
    const exported = has(ts.SyntaxKind.ExportKeyword) && !has(ts.SyntaxKind.DefaultKeyword);
    const add = (identifier: ts.Identifier | undefined, kind: DeclaredName["kind"]): void => {
      if (identifier === undefined || (kind === "type" && names.has(identifier.text))) return;
      names.set(identifier.text, { name: identifier.text, kind, exported });
    };
    if (ts.isVariableStatement(statement)) {
      const kind = statement.declarationList.flags & ts.NodeFlags.Const ? "constant" : "variable";
      for (const declaration of statement.declarationList.declarations) for (const name of boundNames(declaration.name)) add(name, kind);
    } else if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement) || ts.isEnumDeclaration(statement)) {
      add(statement.name, "constant");
    } else if (ts.isModuleDeclaration(statement)) {
      if (ts.isIdentifier(statement.name) && !(statement.flags & ts.NodeFlags.GlobalAugmentation)) add(statement.name, "constant");
    } else if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) {
      add(statement.name, "type");
    } else if (ts.isImportDeclaration(statement)) {
      for (const { name, isType } of importedNames(statement)) add(name, isType ? "type" : "constant");
    } else {
      for (const name of nestedVars(statement)) add(name, "variable");
    }
  }
  return names;
}

/** All identifiers that occur in a file. */
export function mentionedNames(file: ts.SourceFile): Set<string> {
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) names.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return names;
}

function boundNames(name: ts.BindingName): ts.Identifier[] {
  if (ts.isIdentifier(name)) return [name];
  return name.elements.flatMap((element) => (ts.isOmittedExpression(element) ? [] : boundNames(element.name)));
}

/** Names that `var` declares inside of blocks and loops: they belong to the whole cell. */
function nestedVars(node: ts.Node): ts.Identifier[] {
  if (ts.isFunctionLike(node) || ts.isClassLike(node)) return [];
  const own =
    ts.isVariableDeclarationList(node) && !(node.flags & ts.NodeFlags.BlockScoped)
      ? node.declarations.flatMap(({ name }) => boundNames(name))
      : [];
  ts.forEachChild(node, (child) => void own.push(...nestedVars(child)));
  return own;
}

/** What an import declaration binds; `isType`: declared with `type`. */
export function importedNames({ importClause }: ts.ImportDeclaration): { readonly name: ts.Identifier; readonly isType: boolean }[] {
  if (importClause === undefined) return [];
  const { name, namedBindings, isTypeOnly } = importClause;
  const bound = (identifier: ts.Identifier, isType = isTypeOnly) => ({ name: identifier, isType });
  const named =
    namedBindings === undefined
      ? []
      : ts.isNamespaceImport(namedBindings)
        ? [bound(namedBindings.name)]
        : namedBindings.elements.map((element) => bound(element.name, isTypeOnly || element.isTypeOnly));
  return name === undefined ? named : [bound(name), ...named];
}
