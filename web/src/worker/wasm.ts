// Which features of the CPU WebAssembly has here, found with modules of a few bytes.

const HEADER = [0, 97, 115, 109, 1, 0, 0, 0];

/** The bits of sixteen bytes, counted: i8x16.splat, i8x16.popcnt. */
const SIMD_MODULE = [
  ...[...HEADER, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253],
  ...[15, 253, 98, 11],
];

/** Exports `dot`, a Dot. */
const DOT_MODULE = [
  ...[...HEADER, 1, 7, 1, 96, 2, 127, 127, 1, 127, 3, 2, 1, 0, 7, 7, 1, 3, 100, 111, 116, 0, 0],
  ...[10, 22, 1, 20, 0, 32, 0, 253, 15, 32, 1, 253, 15, 65, 0, 253, 17, 253, 147, 2, 253, 27, 0],
  11,
];

/** Whether WebAssembly has vectors. */
export function hasSimd(): boolean {
  return WebAssembly.validate(new Uint8Array(SIMD_MODULE));
}

/** The first lane of i32x4.relaxed_dot_i8x16_i7x16_add_s of sixteen a and sixteen b, and 0. */
export type Dot = (a: number, b: number) => number;

/** Whether one instruction multiplies and adds four bytes. */
export function hasInt8DotProducts(): boolean {
  const bytes = new Uint8Array(DOT_MODULE);
  if (!WebAssembly.validate(bytes)) return false;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  return takesEightBits(exports.dot as Dot);
}

/**
 * Whether a dot product takes all eight bits of both operands, which shows how it is computed.
 *
 * The specification promises seven bits of the second operand. x86-64 without AVX-VNNI (AVX-512's
 * is not used) saturates its sums of two, and ARM without dot products wraps them. XNNPACK and
 * onnxruntime ask the same way, and fall back to kernels that widen their operands first.
 */
export function takesEightBits(dot: Dot): boolean {
  const isUnsigned = dot(127, -1) === 4 * 127 * 255;
  const isSigned = dot(127, -1) === 4 * 127 * -1 && dot(-128, -128) === 4 * 128 * 128;
  return isUnsigned || isSigned;
}
