"""Weights as integers: with one scale for each channel of a kernel, row of a table, or block."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit_runtimes.tensors import Array

# Symmetric, as ONNX and TFLite have it: -128 is left out.
INT8_MAX = 127

# Smaller tables save less than what it takes to read them as integers: 700 bytes in TFLite.
MIN_TABLE_ELEMENTS = 1024

# Shorter rows share one scale with the whole table: scales of their own would be a quarter of the
# integers and more.
MIN_ROW_ELEMENTS = 8

# One scale for all rows costs half of them one bit and more where their largest values are under
# this share of the table's.
UNLIKE = 0.5

# Half precision keeps a scale to 2^-11, where 8 bits keep a value to 2^-8. Scales under this are
# subnormal, and lose digits.
SMALLEST_HALF_SCALE = float(np.finfo(np.float16).smallest_normal)
LARGEST_HALF = float(np.finfo(np.float16).max)

# What is larger than this, or smaller than its negative, masks: 1e9, -inf, the lowest number of a
# type. 8 bits for what lies between would have steps of 8, which no net survives.
LARGEST_ACTIVATION = 1000.0

# Weights that share a scale, along the inputs of a layer. 32 is the finest that is common
# (llama.cpp's Q4 formats too); a scale and a zero point add 1.1 bits to each weight.
BLOCK_SIZE = 32
BITS = 4
LEVELS = 2**BITS - 1


@dataclass(frozen=True)
class IntegerTable:
    """A table = integers * scales.

    integers: int8, of `bits` bits. scales: one for each row, with the table's axes (all others
    have size 1), or a scalar; float16 where they fit.
    """

    integers: Array
    scales: Array
    bits: int

    @property
    def has_unlike_rows(self) -> bool:
        """Whether one scale for all rows would cost much."""
        return bool(np.median(self.scales) < UNLIKE * self.scales.max())


def symmetric_int8(values: Array, channel_axis: int) -> tuple[Array, Array]:
    """Return `values` as int8 and one float32 scale per channel: values = int8 * scale."""
    others = tuple(axis for axis in range(values.ndim) if axis != channel_axis % values.ndim)
    scales = _scales(np.abs(values).max(axis=others), INT8_MAX)
    return _rounded(values, np.expand_dims(scales, others), INT8_MAX), scales


def signs(values: Array) -> tuple[Array, Array] | None:
    """Return what has no magnitude but one as int8 and its one scale, which is exact, else None.

    Masks are such: 0 and -1e9.
    """
    scale = np.float32(np.abs(values).max())
    integers = np.sign(values).astype(np.int8)
    return (integers, scale.reshape(1)) if np.array_equal(integers * scale, values) else None


def integer_table(
    values: Array, axis: int, bits: int = 8, half_scales: bool = True
) -> IntegerTable:
    """Return a table that is read along `axis` as integers of `bits` bits.

    half_scales: False keeps the scales in float32, where the integers have to be those that
    `symmetric_int8` makes of a kernel.
    """
    largest_integer = 2 ** (bits - 1) - 1
    others = tuple(other for other in range(values.ndim) if other != axis)
    has_rows = values.size >= MIN_ROW_ELEMENTS * values.shape[axis]
    largest = np.abs(values).max(axis=others if has_rows else None, keepdims=has_rows)
    scales = _scales(largest, largest_integer)
    fits = scales.min() >= SMALLEST_HALF_SCALE and scales.max() <= LARGEST_HALF
    if half_scales and fits:
        scales = scales.astype(np.float16)
    integers = _rounded(values, scales.astype(np.float32), largest_integer)
    return IntegerTable(integers, scales, bits)


def _scales(largest: Array, largest_integer: int) -> Array:
    return np.where(largest > 0, largest / largest_integer, 1).astype(np.float32)


def _rounded(values: Array, scales: Array, largest_integer: int) -> Array:
    integers = np.clip(np.rint(values / scales), -largest_integer, largest_integer)
    return np.asarray(integers.astype(np.int8))


def asymmetric_int4(kernel: Array) -> tuple[Array, Array, Array]:
    """Return what MatMulNBits takes of a kernel [inputs, outputs]: weights, scales, zero points.

    weights: uint8 [outputs, blocks, BLOCK_SIZE / 2], two weights per byte, the first in the low
    half. scales: float32 [outputs, blocks]. zero points: uint8 [outputs, blocks / 2], packed so.
    """
    inputs, outputs = kernel.shape
    count = -(-inputs // BLOCK_SIZE)
    padded = np.zeros((outputs, count * BLOCK_SIZE), np.float32)
    padded[:, :inputs] = kernel.T
    values = padded.reshape(outputs, count, BLOCK_SIZE)
    # Zero is among the values of each block, so that pruned weights stay zero.
    low = np.minimum(values.min(axis=2, keepdims=True), 0)
    high = np.maximum(values.max(axis=2, keepdims=True), 0)
    scales = np.where(high > low, (high - low) / LEVELS, 1).astype(np.float32)
    zero_points = np.clip(np.rint(-low / scales), 0, LEVELS)
    integers = np.clip(np.rint(values / scales) + zero_points, 0, LEVELS).astype(np.uint8)
    return (
        _pack(integers),
        scales.reshape(outputs, count),
        _pack(zero_points.reshape(outputs, count).astype(np.uint8)),
    )


def _pack(nibbles: Array) -> Array:
    """Return two values per byte along the last axis, which is padded to an even length."""
    if nibbles.shape[-1] % 2:
        nibbles = np.pad(nibbles, [(0, 0)] * (nibbles.ndim - 1) + [(0, 1)])
    packed: Array = nibbles[..., ::2] | (nibbles[..., 1::2] << BITS)
    return packed
