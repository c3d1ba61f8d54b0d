import * as ts from "typescript";

/** Names that compiled code finds in its scope. */
export const RUNTIME = { flag: "$flag$", cell: "$cell$", meta: "$meta$" } as const;

/**
 * Makes code stop on an interrupt: each loop looks at a shared flag before each turn, and each `await` ends when its cell is interrupted.
 * For cells and for the local modules that they import.
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
  const check = (): ts.Statement =>
    factory.createExpressionStatement(
      factory.createLogicalAnd(factory.createElementAccessExpression(factory.createIdentifier(RUNTIME.flag), 0), runtime("stop")),
    );

  const guarded = (body: ts.Statement): ts.Statement =>
    factory.createBlock([check(), ...(ts.isBlock(body) ? body.statements : [body])], true);

  const visit = (original: ts.Node): ts.Node => {
    const node = ts.visitEachChild(original, visit, context);
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
