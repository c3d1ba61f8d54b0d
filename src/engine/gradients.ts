import * as tf from "@tensorflow/tfjs-core";
import { loadTensorflowJs } from "./umbrella";

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
 * @param take Told each gradient as soon as it is complete; it is disposed right after, and missing in the result. What the loss does not
 *   depend on, or reads more than once, is told at the end.
 * @throws {TypeError} if the loss is not a scalar.
 */
export function valueAndGradients(
  loss: () => tf.Scalar,
  tensors: ReadonlyMap<string, tf.Tensor>,
  take?: (name: string, gradient: tf.Tensor) => void,
): ValueAndGradients {
  const names = [...tensors.keys()];
  loadTensorflowJs();
  const taken = new Set<string>();
  const takeEarly = (name: string, gradient: tf.Tensor): void => {
    take!(name, gradient);
    taken.add(name);
    gradient.dispose();
  };
  const forward = (): tf.Scalar => {
    const result = loss();
    disposeOnTheWayBack(tensors, take && takeEarly);
    return result;
  };
  const { value, grads } = tf.tidy(() => {
    const result = tf.engine().gradients(forward, [...tensors.values()], undefined, true);
    if (result.value.rank !== 0) throw new TypeError(`Cannot differentiate a loss of shape [${result.value.shape}]: expected a scalar`);
    const grads = result.grads.map((gradient, index) => gradient ?? tf.zerosLike(tensors.get(names[index]!)!));
    return { value: result.value, grads };
  });
  const gradients = new Map(names.map((name, index) => [name, grads[index]!]));
  for (const name of taken) gradients.delete(name);
  if (!take) return { value, gradients };
  for (const [name, gradient] of gradients) takeEarly(name, gradient);
  return { value, gradients: new Map() };
}

/** An operation of the forward pass as TensorFlow.js records it. */
interface TapeNode {
  readonly inputs: Readonly<Record<string, tf.Tensor>>;
  readonly outputs: readonly tf.Tensor[];
  readonly saved?: readonly tf.Tensor[];
  gradient?: (dys: (tf.Tensor | null)[]) => Record<string, () => tf.Tensor>;
}

/**
 * TensorFlow.js keeps all that a backward pass has saved and computed until its end. Here each operation's goes when the next one's turn comes,
 * so that a pass needs little more memory than the forward pass left.
 */
function disposeOnTheWayBack(wanted: ReadonlyMap<string, tf.Tensor>, take?: (name: string, gradient: tf.Tensor) => void): void {
  const { activeTape, gradientDepth } = (tf.engine() as unknown as { state: { activeTape: TapeNode[]; gradientDepth: number } }).state;
  if (gradientDepth > 1) return; // an outer pass may still need it
  const names = new Map([...wanted].map(([name, { id }]) => [id, name]));
  const readers = new Map<number, number>();
  for (const { id } of activeTape.flatMap(({ inputs }) => Object.values(inputs))) readers.set(id, (readers.get(id) ?? 0) + 1);
  let disposeLast = (): void => undefined;
  for (const node of activeTape) {
    const { gradient, inputs, outputs, saved = [] } = node;
    if (!gradient) continue;
    node.gradient = (dys) => {
      disposeLast();
      const complete: [string, tf.Tensor][] = [];
      disposeLast = () => {
        for (const [name, found] of complete) take!(name, found);
        dys.forEach((dy, index) => names.has(outputs[index]!.id) || dy?.dispose());
        for (const tensor of saved) tensor.dispose();
      };
      const compute = (input: string, own: () => tf.Tensor): tf.Tensor => {
        const result = own();
        // A gradient that is passed on as it is would go with the one that it came from.
        const found = dys.includes(result) ? tf.clone(result) : result;
        const id = inputs[input]?.id;
        const name = id === undefined || readers.get(id) !== 1 ? undefined : names.get(id);
        if (take && name !== undefined) complete.push([name, found]);
        return found;
      };
      const functions = Object.entries(gradient(dys));
      return Object.fromEntries(functions.map(([input, own]) => [input, () => compute(input, own)]));
    };
  }
}
