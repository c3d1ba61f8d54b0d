import * as ts from "typescript";

/** Names that compiled code finds in its scope. */
export const RUNTIME = { flag: "$flag$", cell: "$cell$", meta: "$meta$" } as const;

/**
 * Makes code stop on an interrupt: each loop looks at a shared flag before each turn, so does each function that calls itself, and each `await`
 * ends when its cell is interrupted. For cells and for the local modules that they import.
 */
export function interruptible(context: ts.TransformationContext): (file: ts.SourceFile) => ts.SourceFile {
  const { factory } = context;
  const runtime = (method: string, ...parameters: ts.Expression[]): ts.Expression =>
    factory.createCallExpression(
      factory.createPropertyAccessExpression(factory.createIdentifier(RUNTIME.cell), method),
      undefined,
      parameters,
    );

  /** `$flag$[0] && $cell$.stop()` */
  const look = (): ts.Expression =>
    factory.createLogicalAnd(factory.createElementAccessExpression(factory.createIdentifier(RUNTIME.flag), 0), runtime("stop"));
  const check = (): ts.Statement => factory.createExpressionStatement(look());

  const guarded = (body: ts.Statement): ts.Statement =>
    factory.createBlock([check(), ...(ts.isBlock(body) ? body.statements : [body])], true);

  const guardedBlock = (body: ts.Block): ts.Block => {
    const begin = body.statements.findIndex(
      (statement) => !(ts.isExpressionStatement(statement) && ts.isStringLiteral(statement.expression)),
    );
    const directives = begin < 0 ? body.statements.length : begin;
    const statements = [...body.statements.slice(0, directives), check(), ...body.statements.slice(directives)];
    return factory.updateBlock(body, ts.setTextRange(factory.createNodeArray(statements), body.statements));
  };

  const visit = (original: ts.Node): ts.Node => {
    const node = ts.visitEachChild(original, visit, context);
    if (ts.isBlock(node) && callsItself(ts.getOriginalNode(original).parent)) return guardedBlock(node);
    if (ts.isArrowFunction(node) && !ts.isBlock(node.body) && callsItself(ts.getOriginalNode(original))) {
      const { modifiers, typeParameters, parameters, type, equalsGreaterThanToken, body } = node;
      const guardedBody = factory.createParenthesizedExpression(factory.createComma(look(), body));
      return factory.updateArrowFunction(node, modifiers, typeParameters, parameters, type, equalsGreaterThanToken, guardedBody);
    }
    if (ts.isForStatement(node))
      return factory.updateForStatement(node, node.initializer, node.condition, node.incrementor, guarded(node.statement));
    if (ts.isForInStatement(node)) return factory.updateForInStatement(node, node.initializer, node.expression, guarded(node.statement));
    if (ts.isForOfStatement(node)) {
      const items = node.awaitModifier === undefined ? node.expression : runtime("each", node.expression);
      return factory.updateForOfStatement(node, node.awaitModifier, node.initializer, items, guarded(node.statement));
    }
    if (ts.isWhileStatement(node)) return factory.updateWhileStatement(node, node.expression, guarded(node.statement));
    if (ts.isDoStatement(node)) return factory.updateDoStatement(node, guarded(node.statement), node.expression);
    if (ts.isAwaitExpression(node)) return factory.updateAwaitExpression(node, runtime("settle", node.expression));
    return node;
  };
  return (file) => ts.visitEachChild(file, visit, context);
}

/** Whether a function, by the name that it is given where it stands, is mentioned in its own body. */
function callsItself(node: ts.Node | undefined): boolean {
  if (node === undefined || !ts.isFunctionLike(node) || !("body" in node) || node.body === undefined) return false;
  const name = nameOf(node);
  const mentions = (inner: ts.Node): boolean =>
    ((ts.isIdentifier(inner) || ts.isPrivateIdentifier(inner)) && inner.text === name) ||
    ts.forEachChild(inner, (child) => mentions(child) || undefined) === true;
  return name !== undefined && mentions(node.body as ts.Node);
}

function nameOf(node: ts.SignatureDeclaration): string | undefined {
  const { parent } = node;
  const named = [
    node.name,
    ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent) || ts.isPropertyDeclaration(parent) ? parent.name : undefined,
    ts.isBinaryExpression(parent) && parent.right === node ? parent.left : undefined,
  ].find((name) => name !== undefined && (ts.isIdentifier(name) || ts.isPrivateIdentifier(name) || ts.isPropertyAccessExpression(name)));
  if (named === undefined) return undefined;
  return ts.isPropertyAccessExpression(named) ? named.name.text : (named as ts.Identifier).text;
}
