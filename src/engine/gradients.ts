// The umbrella package registers the gradients of the built-in operations; the core alone has none.
import "@tensorflow/tfjs";
import * as tf from "@tensorflow/tfjs-core";

/** A loss and its gradients; the caller owns the tensors. */
export interface ValueAndGradients {
  /** [] */
  readonly value: tf.Scalar;
  /** One a name asked for, shaped as its tensor. */
  readonly gradients: Map<string, tf.Tensor>;
}

/**
 * Value of a scalar function and its gradients with respect to named tensors, from one backward pass.
 * @param loss Computes the scalar from the tensors; it may read others too, for which no gradient is taken.
 * @param tensors What to differentiate by; none of them computed from another. A tensor that the loss does not depend on gets zeros.
 * @throws {TypeError} if the loss is not a scalar.
 */
export function valueAndGradients(loss: () => tf.Scalar, tensors: ReadonlyMap<string, tf.Tensor>): ValueAndGradients {
  const names = [...tensors.keys()];
  const forward = (): tf.Scalar => {
    const result = loss();
    disposeOnTheWayBack(tensors.values());
    return result;
  };
  const { value, grads } = tf.tidy(() => {
    const result = tf.engine().gradients(forward, [...tensors.values()], undefined, true);
    if (result.value.rank !== 0) throw new TypeError(`Cannot differentiate a loss of shape [${result.value.shape}]: expected a scalar`);
    return { value: result.value, grads: result.grads.map((gradient, index) => gradient ?? tf.zerosLike(tensors.get(names[index]!)!)) };
  });
  return { value, gradients: new Map(names.map((name, index) => [name, grads[index]!])) };
}

/** An operation of the forward pass as TensorFlow.js records it. */
interface TapeNode {
  readonly outputs: readonly tf.Tensor[];
  readonly saved?: readonly tf.Tensor[];
  gradient?: (dys: (tf.Tensor | null)[]) => Record<string, () => tf.Tensor>;
}

/**
 * TensorFlow.js keeps all that a backward pass has saved and computed until its end. Here each operation's goes when the next one's turn comes,
 * so that a pass needs little more memory than the forward pass left.
 */
function disposeOnTheWayBack(wanted: Iterable<tf.Tensor>): void {
  const { activeTape, gradientDepth } = (tf.engine() as unknown as { state: { activeTape: TapeNode[]; gradientDepth: number } }).state;
  if (gradientDepth > 1) return; // an outer pass may still need it
  const kept = new Set([...wanted].map(({ id }) => id));
  let disposeLast = (): void => undefined;
  for (const node of activeTape) {
    const { gradient, outputs, saved = [] } = node;
    if (!gradient) continue;
    node.gradient = (dys) => {
      disposeLast();
      disposeLast = () => {
        dys.forEach((dy, index) => kept.has(outputs[index]!.id) || dy?.dispose());
        for (const tensor of saved) tensor.dispose();
      };
      const functions = gradient(dys);
      // A gradient that is passed on as it is would go with the one that it came from.
      const ownOf = (compute: () => tf.Tensor) => (): tf.Tensor => {
        const found = compute();
        return dys.includes(found) ? tf.clone(found) : found;
      };
      return Object.fromEntries(Object.entries(functions).map(([name, compute]) => [name, ownOf(compute)]));
    };
  }
}
