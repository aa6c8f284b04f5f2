// The golden samples, and inputs from anywhere made ready for a model.

import { readNpy } from '../../protocol/npy.ts';
import {
  type Dtype,
  preprocess,
  type Tensor,
  type TensorSpec,
  type Tensors,
} from '../../protocol/tensors.ts';
import type { Site } from './site.ts';

/** Values before preprocessing, without a batch axis. golden: the sample's number, or null. */
export interface Input {
  readonly tensors: Tensors;
  readonly golden: number | null;
}

/** inputs, outputs: samples along the first axis. */
export interface Golden {
  readonly inputs: Tensors;
  readonly outputs: Tensors;
}

/** Fetch one sample of the inputs, before all others. */
export async function loadFirst(site: Site): Promise<Input> {
  return sampleOf(await loadAll(site.golden.first), 0);
}

/** Fetch all samples with the original's answers. */
export async function loadGolden(site: Site): Promise<Golden> {
  const [inputs, outputs] = await Promise.all([
    loadAll(site.golden.inputs),
    loadAll(site.golden.outputs),
  ]);
  return { inputs, outputs };
}

async function loadAll(paths: Readonly<Record<string, string>>): Promise<Tensors> {
  const entries = Object.entries(paths).map(async ([name, path]) => {
    const response = await fetch(path);
    if (!response.ok) throw new Error(`${path} is missing from this site (${response.status})`);
    return [name, readNpy(new Uint8Array(await response.arrayBuffer()))] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** One golden sample as an input. */
export function sampleOf(inputs: Tensors, index: number): Input {
  const tensors = Object.entries(inputs).map(([name, all]) => [name, row(all, index)] as const);
  return { tensors: Object.fromEntries(tensors), golden: index };
}

/** One entry along the first axis. */
export function row(all: Tensor, index: number): Tensor {
  const [count = 1, ...shape] = all.shape;
  const size = all.data.length / count;
  return { dtype: all.dtype, shape, data: all.data.slice(index * size, (index + 1) * size) };
}

/**
 * An input as a model takes it: preprocessed, in its dtype, with a batch axis where it has one.
 * Integers that stand for real numbers get real numbers: the engine quantizes them.
 */
export function ready(input: Input, specs: readonly TensorSpec[], site: Site): Tensors {
  const only = specs.length === 1 ? Object.values(input.tensors)[0] : undefined;
  const entries = specs.map((spec) => {
    const tensor = only ?? input.tensors[spec.name];
    if (!tensor) throw new Error(`the model's input '${spec.name}' has no data`);
    const dtype = spec.quantization ? 'float32' : (spec.dtype as Dtype);
    const { data } = preprocess(tensor, site.preprocessing, dtype, spec.name);
    const shape = site.batched ? [1, ...tensor.shape] : tensor.shape;
    return [spec.name, { dtype, shape, data }] as const;
  });
  return Object.fromEntries(entries);
}

/** One output of a model by its name in the bundle; a single output may have any name. */
export function outputOf(outputs: Tensors, name: string): Tensor | undefined {
  const all = Object.values(outputs);
  return outputs[name] ?? (all.length === 1 ? all[0] : undefined);
}
