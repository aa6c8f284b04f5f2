// Named tensors: what a model takes and gives. The same rules as edgekit_runtimes/tensors.py.

import { DataError } from './errors.ts';
import type { EncodedArray, Preprocessing, TensorSpec } from './generated/job.ts';

export type { TensorSpec };

export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array<ArrayBuffer>;

interface TypedArrayClass {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer, byteOffset?: number, length?: number): TypedArray;
}

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const satisfies Record<string, TypedArrayClass>;

/** numpy's name of a dtype that a page can handle. */
export type Dtype = keyof typeof ARRAYS;

/** Numbers in C order. bool is 0 or 1 in a Uint8Array. */
export interface Tensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

/** Tensors by the names of a model's inputs or outputs. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** Return whether a page can handle numbers of that dtype. */
export function isDtype(name: string): name is Dtype {
  return Object.hasOwn(ARRAYS, name);
}

/** Return the number of values in a tensor of that shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Return 32-bit or smaller values in the array of their dtype: the same one where it fits. */
export function asArray(dtype: Dtype, values: Iterable<number> & TypedArray): TypedArray {
  const kind = ARRAYS[dtype] as Float32ArrayConstructor;
  return values instanceof kind ? values : kind.from(values);
}

/** Return how many bytes a value of that dtype takes. */
export function bytesPerValue(dtype: Dtype): number {
  return ARRAYS[dtype].BYTES_PER_ELEMENT;
}

/** Return the numbers in a buffer, little-endian as every browser's machine is. */
export function view(dtype: Dtype, buffer: ArrayBuffer, offset = 0, length?: number): TypedArray {
  return new ARRAYS[dtype](buffer, offset, length);
}

/**
 * Return whether the first axis of every input is a batch axis (of free size, or 1).
 * Then a sample is one entry along that axis; otherwise a sample is a whole tensor.
 */
export function isBatched(inputs: readonly TensorSpec[]): boolean {
  return inputs.every(({ shape }) => shape.length > 0 && (shape[0] === null || shape[0] === 1));
}

/** Return the output of one sample without its batch axis, ready to be stacked with others. */
export function unbatch(output: Tensor, batched: boolean): Tensor {
  if (!batched || output.shape[0] !== 1) return output;
  return { ...output, shape: output.shape.slice(1) };
}

/**
 * Return a stored sample as the model takes it, in `dtype`: (x * scale - mean) / std in float32.
 * Throws DataError, calling the tensor `name`, where values would be lost in a cast.
 */
export function preprocess(
  sample: Tensor,
  { scale, mean, std }: Preprocessing,
  dtype: Dtype,
  name: string,
): Tensor {
  if (scale === 1 && mean.length === 0 && std.length === 0)
    return castLosslessly(sample, dtype, name);
  const channels = sample.shape.at(-1) ?? 1;
  for (const [word, list] of Object.entries({ mean, std })) {
    if (list.length > 1 && list.length !== channels) {
      throw new DataError(`'${name}' has ${channels} channels and the ${word} ${list.length}.`);
    }
  }
  // Every step rounds to float32, as numpy's does.
  const { fround } = Math;
  const values = new Float32Array(sample.data.length);
  const factor = fround(scale);
  for (let index = 0; index < values.length; index += 1) {
    const channel = index % channels;
    let value = fround(fround(Number(sample.data[index])) * factor);
    if (mean.length > 0) value = fround(value - fround(mean[channel % mean.length]!));
    if (std.length > 0) value = fround(value / fround(std[channel % std.length]!));
    values[index] = value;
  }
  return castLosslessly({ dtype: 'float32', shape: sample.shape, data: values }, dtype, name);
}

/**
 * Return `tensor` in `dtype` where that keeps every value; float64 to float32 is allowed.
 * Throws DataError naming both dtypes where values would be lost.
 */
export function castLosslessly(tensor: Tensor, dtype: Dtype, name: string): Tensor {
  if (tensor.dtype === dtype) return tensor;
  const from = tensor.data;
  const to = view(dtype, new ArrayBuffer(from.length * bytesPerValue(dtype)));
  const isBig = to instanceof BigInt64Array || to instanceof BigUint64Array;
  const toFloat = dtype.startsWith('float');
  const fromFloat = tensor.dtype.startsWith('float');
  let kept = dtype !== 'bool' && (toFloat || !fromFloat);
  for (let index = 0; kept && index < from.length; index += 1) {
    const value = from[index]!;
    to[index] = isBig ? BigInt(value) : Number(value);
    // A bigint equals a number of the same value only with ==.
    // biome-ignore lint/suspicious/noDoubleEquals: see above
    kept = fromFloat || to[index] == value;
  }
  if (kept) return { dtype, shape: tensor.shape, data: to };
  throw new DataError(
    `'${name}' is ${tensor.dtype} and the model takes ${dtype}: the cast would change values. ` +
      `Convert the data to ${dtype} yourself.`,
  );
}

/** Return the samples (at least one) along a new first axis; all have the shape of the first. */
export function stack(tensors: readonly Tensor[]): Tensor {
  const { dtype, shape, data } = tensors[0]!;
  const joined = view(dtype, new ArrayBuffer(tensors.length * data.byteLength));
  tensors.forEach((tensor, index) => {
    joined.set(tensor.data as never, index * data.length);
  });
  return { dtype, shape: [tensors.length, ...shape], data: joined };
}

/** Return the JSON form of a tensor: dtype, shape and base64 of its little-endian bytes. */
export function encode({ dtype, shape, data }: Tensor): EncodedArray {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const chunks: string[] = [];
  // A call takes about 65,000 arguments at most.
  for (let start = 0; start < bytes.length; start += 0x8000) {
    chunks.push(String.fromCharCode(...bytes.subarray(start, start + 0x8000)));
  }
  return { dtype, shape: [...shape], data: btoa(chunks.join('')) };
}

/** Return the tensor whose JSON form is given. */
export function decode({ dtype, shape, data }: EncodedArray): Tensor {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  return { dtype: dtype as Dtype, shape, data: view(dtype as Dtype, bytes.buffer) };
}
