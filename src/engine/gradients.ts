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
 * @param tensors What to differentiate by. A tensor that the loss does not depend on gets zeros.
 * @throws {TypeError} if the loss is not a scalar.
 */
export function valueAndGradients(loss: () => tf.Scalar, tensors: ReadonlyMap<string, tf.Tensor>): ValueAndGradients {
  const names = [...tensors.keys()];
  const { value, grads } = tf.tidy(() => {
    const result = tf.engine().gradients(loss, [...tensors.values()], undefined, true);
    if (result.value.rank !== 0) throw new TypeError(`Cannot differentiate a loss of shape [${result.value.shape}]: expected a scalar`);
    return { value: result.value, grads: result.grads.map((gradient, index) => gradient ?? tf.zerosLike(tensors.get(names[index]!)!)) };
  });
  return { value, gradients: new Map(names.map((name, index) => [name, grads[index]!])) };
}
