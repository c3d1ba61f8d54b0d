/** Multi-head self-attention over short or long token sequences (Vaswani et al. 2017, arXiv:1706.03762). */
import * as tf from "@tensorflow/tfjs-core";
import { attendHead, attendHeadBackward, type HeadShape } from "./attentionLoops";
import { defineFusedKernel, type KernelAttributes } from "./fusedKernel";

/** How the rows of queries, keys and values are arranged. */
export interface AttentionShape {
  /** Tokens a sequence; rows are sequence after sequence. */
  readonly tokens: number;
  /** Heads; the columns of head h are h·d/heads … (h + 1)·d/heads − 1. */
  readonly heads: number;
}

/**
 * softmax(q kᵀ / sqrt(d / heads)) v, head by head and sequence by sequence.
 * @param queries [batch · tokens, d], as are `keys` and `values`.
 * @returns [batch · tokens, d]
 * @throws {TypeError} if the rows are not whole sequences or the columns not whole heads.
 */
export function attention(queries: tf.Tensor2D, keys: tf.Tensor2D, values: tf.Tensor2D, { tokens, heads }: AttentionShape): tf.Tensor2D {
  const [rows, size] = queries.shape;
  if (rows % tokens !== 0 || size % heads !== 0) {
    throw new TypeError(
      `Cannot attend over [${queries.shape}]: expected rows in multiples of ${tokens} tokens and columns of ${heads} heads`,
    );
  }
  return forward([queries, keys, values], { tokens, heads })[0] as tf.Tensor2D;
}

/** Second output: attention probabilities, [batch · heads, tokens, tokens]. */
const forward = defineFusedKernel({
  name: "DamlabAttention",
  outputShapes: ([rows], { tokens, heads }) => [rows!, [(rows![0]! / tokens!) * heads!, tokens!, tokens!]],
  loop: ([queries, keys, values], [context, probabilities], [rows], attributes) => {
    const head = headShape(rows!, attributes);
    for (const [start, index] of headStarts(rows!, attributes)) {
      attendHead(head, start, index, queries!, keys!, values!, context!, probabilities!);
    }
  },
  simd: (kernels, { inputs: [q, k, v], outputs: [context, probabilities], shapes: [rows], attributes, scratch }) => {
    const { batch, tokens, heads, size, padded } = simdShape(rows!, attributes);
    kernels.attention(q!, k!, v!, context!, probabilities!, scratch((size + 1) * padded), batch, tokens, heads, size);
  },
  compose: ([queries, keys, values], attributes) => {
    const [q, k, v] = [queries!, keys!, values!].map((x) => splitHeads(x, attributes)) as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
    const scale = 1 / Math.sqrt(q.shape[2]);
    const probabilities = tf.softmax(tf.mul(tf.matMul(q, k, false, true), scale));
    return [joinHeads(tf.matMul(probabilities, v), attributes), probabilities];
  },
  gradient: {
    savedOutputs: [1],
    backward: ([dContext], [queries, keys, values], [probabilities], attributes) => {
      const gradients = backward([dContext!, queries!, keys!, values!, probabilities!], attributes);
      return gradients.map((gradient) => () => gradient);
    },
  },
});

/** Inputs dContext, queries, keys, values, probabilities; outputs the gradients of queries, keys, values. */
const backward = defineFusedKernel({
  name: "DamlabAttentionGradient",
  outputShapes: ([rows]) => [rows!, rows!, rows!],
  loop: ([dContext, queries, keys, values, probabilities], [dQueries, dKeys, dValues], [rows], attributes) => {
    const head = headShape(rows!, attributes);
    for (const [start, index] of headStarts(rows!, attributes)) {
      attendHeadBackward(
        head,
        start,
        index,
        { dContext: dContext!, queries: queries!, keys: keys!, values: values!, probabilities: probabilities! },
        { dQueries: dQueries!, dKeys: dKeys!, dValues: dValues! },
      );
    }
  },
  simd: (kernels, { inputs: [dContext, q, k, v, probabilities], outputs: [dq, dk, dv], shapes: [rows], attributes, scratch }) => {
    const { batch, tokens, heads, size, padded } = simdShape(rows!, attributes);
    const memory = scratch((size + tokens) * padded);
    kernels.attentionGradient(dContext!, q!, k!, v!, probabilities!, dq!, dk!, dv!, memory, batch, tokens, heads, size);
  },
  compose: ([dContext, queries, keys, values, probabilities], attributes) => {
    const [dc, q, k, v] = [dContext!, queries!, keys!, values!].map((x) => splitHeads(x, attributes)) as tf.Tensor3D[];
    const p = probabilities as tf.Tensor3D;
    const dp = tf.matMul(dc!, v!, false, true);
    const ds = tf.mul(tf.mul(p, tf.sub(dp, tf.sum(tf.mul(dp, p), 2, true))), 1 / Math.sqrt(q!.shape[2]!));
    const gradients = [tf.matMul(ds as tf.Tensor3D, k!), tf.matMul(ds as tf.Tensor3D, q!, true, false), tf.matMul(p, dc!, true, false)];
    return gradients.map((gradient) => joinHeads(gradient as tf.Tensor3D, attributes));
  },
});

function headShape(rows: number[], { tokens, heads }: KernelAttributes): HeadShape {
  return { tokens: tokens!, size: rows[1]! / heads!, stride: rows[1]! };
}

/** `padded` is the token count rounded up to whole SIMD lanes. */
function simdShape([rows, columns]: number[], { tokens, heads }: KernelAttributes) {
  return { batch: rows! / tokens!, tokens: tokens!, heads: heads!, size: columns! / heads!, padded: (tokens! + 3) & ~3 };
}

/** Offset of the first value of each head of each sequence, and its number. */
function headStarts([rows, columns]: number[], { tokens, heads }: KernelAttributes): [number, number][] {
  const starts: [number, number][] = [];
  for (let row = 0; row < rows!; row += tokens!) {
    for (let head = 0; head < heads!; head++) starts.push([row * columns! + head * (columns! / heads!), starts.length]);
  }
  return starts;
}

function splitHeads(x: tf.Tensor, { tokens, heads }: KernelAttributes): tf.Tensor3D {
  const [rows, columns] = x.shape as [number, number];
  const batch = rows / tokens!;
  const size = columns / heads!;
  return tf.reshape(tf.transpose(tf.reshape(x, [batch, tokens!, heads!, size]), [0, 2, 1, 3]), [batch * heads!, tokens!, size]);
}

function joinHeads(x: tf.Tensor3D, { tokens, heads }: KernelAttributes): tf.Tensor2D {
  const [groups, , size] = x.shape;
  const batch = groups / heads!;
  return tf.reshape(tf.transpose(tf.reshape(x, [batch, heads!, tokens!, size]), [0, 2, 1, 3]), [batch * tokens!, heads! * size]);
}
