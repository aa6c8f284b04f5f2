"""Noise for use without data, and the hash that shows whether two sets are the same."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence

import numpy as np

from edgekit_runtimes.tensors import Array, Arrays, TensorSpec, is_batched, sample_shape

# A manifest stores this name, the seed and `arrays_hash` instead of the arrays. Change what
# `noise` makes, and the name must change.
NOISE_GENERATOR = "numpy.PCG64/sum-of-12-uint16"

# The sum of twelve uniform numbers has the variance of one times twelve twelfths: dividing by
# 2^16 makes it 1. The mean of a uint16 is 65535 / 2.
TERMS = 12
MEAN = TERMS * 65535 // 2
UNIT = 65536.0


def noise(inputs: Sequence[TensorSpec], count: int, seed: int) -> Arrays:
    """Return `count` samples for each input, the same bits on every machine.

    Real numbers: normal (mean 0, variance 1, never beyond 6), float32 values. uint8: 0 to 255.
    Other integers: 0 or 1, which every embedding has. Sizes left open are 1.

    `Generator.standard_normal` is not used: numpy promises the raw bits of PCG64 from version to
    version (NEP 19) but not what is made of them, and its tails go through the C library's log.
    Sums of integers are exact.
    """
    batched = is_batched(inputs)
    arrays = {}
    for number, spec in enumerate(inputs):
        shape = tuple(size or 1 for size in sample_shape(spec, batched))
        bits = np.random.PCG64([seed, number])
        size = math.prod(shape)
        samples = [_values(bits, size, spec.dtype).reshape(shape) for _ in range(count)]
        arrays[spec.name] = np.stack(samples) if samples else np.zeros((0, *shape), spec.dtype)
    return arrays


def _values(bits: np.random.PCG64, size: int, dtype: str) -> Array:
    kind = np.dtype(dtype).kind
    if kind == "f":
        terms = _uint16(bits, size * TERMS).reshape(size, TERMS)
        sums = terms.sum(axis=1, dtype=np.int32) - MEAN
        return np.asarray(sums / UNIT, dtype)
    if dtype == "uint8":
        return (_uint16(bits, size) >> 8).astype(dtype)
    return (_uint16(bits, size) >> 15).astype(dtype)


def _uint16(bits: np.random.PCG64, size: int) -> Array:
    raw = np.asarray(bits.random_raw(math.ceil(size / 4)), np.uint64)
    return raw.astype("<u8", copy=False).view("<u2")[:size]


def arrays_hash(arrays: Mapping[str, Array]) -> str:
    """Return the SHA-256 of names, dtypes, shapes and values, whatever their order or layout."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        digest.update(f"{name}|{little.dtype.str}|{array.shape}|".encode())
        digest.update(little.data)
    return digest.hexdigest()
