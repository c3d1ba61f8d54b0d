/** Operations of TensorFlow that TensorFlow.js does not reach by itself. */
import * as tf from "@tensorflow/tfjs-core";

/** TensorFlow's numbers for kinds of attributes (`TF_AttrType` in tf_attrtype.h) and for float32 (`TF_DataType` in tf_datatype.h). */
const BOOL = 3;
const TYPE = 4;
const FLOAT32 = 1;

interface NativeBackend {
  executeSingleOutput(name: string, attributes: unknown[], inputs: tf.Tensor[]): tf.Tensor;
}

/** [n, k] · [k, m], either factor transposed. `tf.matMul` reaches TensorFlow's BatchMatMulV2, which is slower than MatMul for rank 2. */
export function nativeMatMul(a: tf.Tensor2D, b: tf.Tensor2D, transposeA: boolean, transposeB: boolean): tf.Tensor2D {
  const attributes = [
    { name: "transpose_a", type: BOOL, value: transposeA },
    { name: "transpose_b", type: BOOL, value: transposeB },
    { name: "T", type: TYPE, value: FLOAT32 },
  ];
  return (tf.backend() as unknown as NativeBackend).executeSingleOutput("MatMul", attributes, [a, b]) as tf.Tensor2D;
}
