// .npy files: numbers as numpy.save writes them.

import { DataError } from './errors.ts';
import { bytesPerValue, type Dtype, sizeOf, type Tensor, view } from './tensors.ts';

const MAGIC = '\x93NUMPY';

/** numpy's letters for a kind of number and its bytes. */
const DTYPES: Readonly<Record<string, Dtype>> = {
  '<f4': 'float32',
  '<f8': 'float64',
  '|i1': 'int8',
  '|u1': 'uint8',
  '<i2': 'int16',
  '<u2': 'uint16',
  '<i4': 'int32',
  '<u4': 'uint32',
  '<i8': 'int64',
  '<u8': 'uint64',
  '|b1': 'bool',
};

/** numpy's letters for float16, which JavaScript has no array of everywhere: it is read as float32. */
const HALF = '<f2';

/** Return the array in the bytes of a .npy file, if possible without a copy. Throws DataError. */
export function readNpy(bytes: Uint8Array<ArrayBuffer>): Tensor {
  const latin = (start: number, end: number) =>
    String.fromCharCode(...bytes.subarray(start, Math.min(end, bytes.length)));
  if (latin(0, 6) !== MAGIC || bytes.length < 12) throw new DataError('It is not a .npy file.');
  const numbers = new DataView(bytes.buffer, bytes.byteOffset);
  // The length of the header takes two bytes in version 1, four since then.
  const [lengthSize, length] =
    bytes[6] === 1 ? [2, numbers.getUint16(8, true)] : [4, numbers.getUint32(8, true)];
  const start = 8 + lengthSize + length;
  const header = latin(8 + lengthSize, start);
  const descr = /'descr': *'([^']*)'/.exec(header)?.[1];
  const isHalf = descr === HALF;
  const dtype = isHalf ? 'uint16' : DTYPES[descr ?? ''];
  if (!dtype) throw new DataError(`A page cannot read numbers of type ${descr ?? 'unknown'}.`);
  if (/'fortran_order': *True/.test(header)) {
    throw new DataError('It is in Fortran order; save numpy.ascontiguousarray of it.');
  }
  const shape = [...(/'shape': *\(([^)]*)\)/.exec(header)?.[1] ?? '').matchAll(/\d+/g)].map(Number);
  const count = sizeOf(shape);
  if (bytes.length - start < count * bytesPerValue(dtype)) throw new DataError('It was cut off.');
  const offset = bytes.byteOffset + start;
  const isAligned = offset % bytesPerValue(dtype) === 0;
  const data = isAligned
    ? view(dtype, bytes.buffer, offset, count)
    : view(dtype, bytes.buffer.slice(offset, offset + count * bytesPerValue(dtype)));
  if (isHalf)
    return { dtype: 'float32', shape, data: Float32Array.from(data as Uint16Array, half) };
  return { dtype, shape, data };
}

/** Return the number whose bits in float16 are given. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = (bits & 0x3ff) / 1024;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent ? (1 + fraction) * 2 ** (exponent - 15) : fraction * 2 ** -14);
}
