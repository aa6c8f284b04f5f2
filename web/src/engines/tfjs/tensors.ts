// How tensors come to TF.js and back, for both kinds of its models.

import * as tf from '@tensorflow/tfjs-core';
import { asArray, type Dtype } from '../../protocol/tensors.ts';
import type { NativeModel } from '../common/runtime.ts';

export const TENSORS: Pick<NativeModel<tf.Tensor>, 'upload' | 'read' | 'free'> = {
  upload: ({ data, shape, dtype }) =>
    tf.tensor(data as tf.TypedArray, [...shape], dtype as tf.DataType),
  read: async (output) => ({
    dtype: output.dtype as Dtype,
    shape: output.shape,
    // Trap: on the cpu back end a tensor cast from integers is float32 over an Int32Array.
    data: asArray(output.dtype as Dtype, await output.data()),
  }),
  free: (tensor) => tensor.dispose(),
};
