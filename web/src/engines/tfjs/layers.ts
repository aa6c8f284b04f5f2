// Layers models of TF.js: what people bring as a source, never an artifact.

import type * as tf from '@tensorflow/tfjs-core';
import { loadLayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { Dtype, TensorSpec } from '../../protocol/tensors.ts';
import type { NativeModel } from '../common/runtime.ts';
import { TENSORS } from './tensors.ts';

/** Return a layers model, its inputs and outputs named as TF.js names them. */
export async function loadLayers(parsed: tf.io.ModelArtifacts): Promise<NativeModel<tf.Tensor>> {
  const model = await loadLayersModel({ load: async () => parsed });
  const inputs = specs(model.inputNames, model.inputs);
  const outputs = specs(model.outputNames, model.outputs);
  return {
    inputs,
    outputs,
    ...TENSORS,
    execute: async (feeds) => {
      const made = [model.predict(inputs.map(({ name }) => feeds[name]!))].flat();
      return Object.fromEntries(outputs.map(({ name }, index) => [name, made[index]!]));
    },
    dispose: () => {
      model.dispose();
    },
  };
}

/** One layer may have several outputs, all of its name: those are numbered. */
function specs(names: readonly string[], tensors: readonly SymbolicTensor[]): TensorSpec[] {
  return tensors.map(({ shape, dtype }, index) => ({
    name: names.indexOf(names[index]!) === index ? names[index]! : `${names[index]}_${index}`,
    shape,
    dtype: dtype as Dtype,
  }));
}
