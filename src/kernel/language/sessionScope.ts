import * as ts from "typescript";
import type { CellText } from "./cellText";
import { isValue } from "./importedTypes";
import { RUNTIME } from "./interruptible";

/** Constant of a compiled cell that holds the session's slot of a name. */
export function slotName(name: string): string {
  return `$slot$${name}`;
}

/**
 * Turns a checked cell into the body of an async function: what was generated around the code goes; references to names of earlier cells go
 * through their slots (`$slot$x.v`), so they see the newest value and can assign it; imports are loaded at run time; the value of a last
 * expression is handed over.
 */
export function sessionScope(checker: ts.TypeChecker, { offset, code, imported }: CellText): ts.TransformerFactory<ts.SourceFile> {
  return (context) => (file) => {
    const { factory } = context;
    const runtime = (name: string): ts.Expression =>
      factory.createPropertyAccessExpression(factory.createIdentifier(RUNTIME.cell), factory.createIdentifier(name));
    const call = (method: string, ...parameters: ts.Expression[]): ts.Expression =>
      factory.createCallExpression(runtime(method), undefined, parameters);
    const inSession = (name: string): ts.Expression =>
      factory.createPropertyAccessExpression(factory.createIdentifier(slotName(name)), "v");

    const isGenerated = (symbol: ts.Symbol | undefined): boolean =>
      symbol?.declarations?.some((declaration) => declaration.getSourceFile() === file && declaration.pos < offset - 1) ?? false;
    const isOfSession = (node: ts.Node): node is ts.Identifier =>
      ts.isIdentifier(node) && imported.has(node.text) && isGenerated(checker.getSymbolAtLocation(node));

    const visit = (node: ts.Node): ts.Node => {
      if (ts.isTypeNode(node) && !ts.isExpressionWithTypeArguments(node)) return node;
      if (isOfSession(node)) return ts.setTextRange(inSession(node.text), node);
      if (
        ts.isShorthandPropertyAssignment(node) &&
        imported.has(node.name.text) &&
        isGenerated(checker.getShorthandAssignmentValueSymbol(node))
      ) {
        const value = inSession(node.name.text);
        const initial = node.objectAssignmentInitializer;
        const assigned = initial === undefined ? value : factory.createAssignment(value, ts.visitNode(initial, visit) as ts.Expression);
        return factory.createPropertyAssignment(node.name, assigned);
      }
      const visited = ts.visitEachChild(node, visit, context);
      if (ts.isCallExpression(node) && ts.isCallExpression(visited)) return visitCall(node, visited);
      if (ts.isTaggedTemplateExpression(node) && ts.isTaggedTemplateExpression(visited) && isOfSession(node.tag))
        return factory.updateTaggedTemplateExpression(visited, unbound(visited.tag), visited.typeArguments, visited.template);
      if (ts.isMetaProperty(visited) && visited.keywordToken === ts.SyntaxKind.ImportKeyword) return runtime("meta");
      return visited;
    };

    const unbound = (callee: ts.Expression): ts.Expression =>
      factory.createParenthesizedExpression(factory.createComma(factory.createNumericLiteral(0), callee));
    const visitCall = (node: ts.CallExpression, visited: ts.CallExpression): ts.CallExpression => {
      const { typeArguments, arguments: parameters } = visited;
      if (node.expression.kind === ts.SyntaxKind.ImportKeyword)
        return factory.updateCallExpression(visited, runtime("load"), typeArguments, parameters);
      if (!isOfSession(node.expression)) return visited;
      if (ts.isCallChain(visited))
        return factory.updateCallChain(visited, unbound(visited.expression), visited.questionDotToken, typeArguments, parameters);
      return factory.updateCallExpression(visited, unbound(visited.expression), typeArguments, parameters);
    };

    const own = file.statements.filter((statement) => statement.pos >= offset - 1 && statement.getStart(file) < offset + code.length);
    const last = own.at(-1);
    const statements = own.flatMap((statement): ts.Statement[] => {
      if (ts.isImportDeclaration(statement)) return importStatements(checker, context, statement, call);
      if (ts.isExportDeclaration(statement) || ts.isImportEqualsDeclaration(statement)) return [];
      if (ts.isExportAssignment(statement))
        return [factory.createExpressionStatement(ts.visitNode(statement.expression, visit) as ts.Expression)];
      const visited = ts.visitNode(statement, visit) as ts.Statement;
      if (statement === last && ts.isExpressionStatement(visited))
        return [ts.setTextRange(factory.createExpressionStatement(call("result", visited.expression)), statement)];
      return [withoutExport(factory, visited)];
    });
    const imports = statements.filter((statement) => statement.pos < 0 && ts.isVariableStatement(statement));
    const rest = statements.filter((statement) => !imports.includes(statement));
    return factory.updateSourceFile(file, ts.setTextRange(factory.createNodeArray([...imports, ...rest]), file.statements));
  };
}

/** `import a, { b as c } from "m"` becomes `const a = (await load("m")).default, …`; an import of types only becomes nothing. */
function importStatements(
  checker: ts.TypeChecker,
  { factory }: ts.TransformationContext,
  { importClause, moduleSpecifier }: ts.ImportDeclaration,
  call: (method: string, ...parameters: ts.Expression[]) => ts.Expression,
): ts.Statement[] {
  const load = factory.createAwaitExpression(call("load", factory.createStringLiteral((moduleSpecifier as ts.StringLiteral).text)));
  const declare = (name: string | ts.Identifier, value: ts.Expression): ts.VariableDeclaration =>
    factory.createVariableDeclaration(name, undefined, undefined, value);
  if (importClause === undefined) return [constants(factory, [declare(factory.createUniqueName("loaded"), load)])];
  if (importClause.isTypeOnly) return [];
  const { name, namedBindings } = importClause;
  const module = factory.createUniqueName("module");
  const bound: ts.VariableDeclaration[] = [];
  const property = (key: string): ts.Expression => factory.createElementAccessExpression(module, factory.createStringLiteral(key));
  if (name !== undefined && isValue(checker, name)) bound.push(declare(name.text, property("default")));
  if (namedBindings !== undefined && ts.isNamespaceImport(namedBindings)) bound.push(declare(namedBindings.name.text, module));
  else
    for (const element of namedBindings?.elements ?? [])
      if (!element.isTypeOnly && isValue(checker, element.name))
        bound.push(declare(element.name.text, property((element.propertyName ?? element.name).text)));
  return bound.length === 0 ? [] : [constants(factory, [declare(module, load), ...bound])];
}

function constants(factory: ts.NodeFactory, declarations: ts.VariableDeclaration[]): ts.Statement {
  return factory.createVariableStatement(undefined, factory.createVariableDeclarationList(declarations, ts.NodeFlags.Const));
}

function withoutExport(factory: ts.NodeFactory, statement: ts.Statement): ts.Statement {
  const modifiers = ts.canHaveModifiers(statement) ? ts.getModifiers(statement) : undefined;
  const kept = modifiers?.filter(({ kind }) => kind !== ts.SyntaxKind.ExportKeyword && kind !== ts.SyntaxKind.DefaultKeyword);
  if (modifiers === undefined || kept?.length === modifiers.length) return statement;
  return factory.replaceModifiers(statement as ts.VariableStatement, kept);
}
