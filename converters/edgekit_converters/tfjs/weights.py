"""How weights are stored: one array as bytes and an entry of the weights manifest, and back.

TF.js computes in float32 whatever the storage: fp16 and int8-weights buy a smaller download, not
speed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from edgekit_converters.tfjs import RECIPES
from edgekit_runtimes.errors import ArtifactError, ConversionError
from edgekit_runtimes.tensors import Array

Entry = dict[str, Any]

STORED_DTYPES = ("float32", "int32", "bool", "complex64")
_QUANTIZED_DTYPES = ("float16", "uint8", "uint16")
_LEVELS = 255

# int8-weights keeps smaller tensors in float16 where they are lists (biases), or where all such
# kernels together are not more than this share of the model's values: the first kernels of a net
# (3x3x3x32 = 864) cost the most accuracy and the fewest bytes. mbv2: 12 KB more, and an SQNR of
# 19.5 dB instead of the 16.0 dB of uint8 throughout. In a small net they are the model, and become
# uint8.
MIN_UINT8_ELEMENTS = 900
SPARED_SHARE = 0.1


def spared(weights: Mapping[str, Array]) -> frozenset[str]:
    """Return the names of the float32 weights that int8-weights keeps in float16."""
    floats = {name: value for name, value in weights.items() if value.dtype == np.float32}
    kept = {name for name, value in floats.items() if _is_small(value) and not _is_matrix(value)}
    left = SPARED_SHARE * sum(value.size for value in floats.values())
    kernels = (name for name, value in floats.items() if _is_small(value) and _is_matrix(value))
    for name in sorted(kernels, key=lambda name: floats[name].size):
        left -= floats[name].size
        if left < 0:
            break
        kept.add(name)
    return frozenset(kept)


def _is_small(value: Array) -> bool:
    return value.size < MIN_UINT8_ELEMENTS


def _is_matrix(value: Array) -> bool:
    return bool(sum(size > 1 for size in value.shape) > 1)


def encode(
    name: str, value: Array, quantization: str, is_exact: bool = False
) -> tuple[Entry, bytes]:
    """Return the manifest entry and the bytes of one weight.

    is_exact: it stays as it is, whatever the quantization.
    Only float32 is quantized: integers are shapes and axes. Raises NotAvailableError for a
    quantization that RECIPES does not list, ConversionError for a dtype that TF.js does not have.
    """
    writer = RECIPES.writer(quantization, calibrated=False)
    if value.dtype.name not in STORED_DTYPES:
        raise ConversionError(f"The constant '{name}' is {value.dtype}, which TF.js does not have.")
    entry: Entry = {"name": name, "shape": list(value.shape), "dtype": value.dtype.name}
    stored = value
    if value.dtype == np.float32 and not is_exact:
        stored, storage = writer(value)
        if storage is not None:
            entry["quantization"] = storage
    little = stored.astype(stored.dtype.newbyteorder("<"), copy=False)
    return entry, little.tobytes()


def as_trained(value: Array) -> tuple[Array, Entry | None]:
    """Return a weight as it is."""
    return value, None


def as_float16(value: Array) -> tuple[Array, Entry | None]:
    """Return a weight in float16; in float32 where a value is too large for it."""
    if np.abs(value).max(initial=0) <= np.finfo(np.float16).max:
        return value.astype(np.float16), {"dtype": "float16", "original_dtype": "float32"}
    return value, None


def as_uint8(value: Array) -> tuple[Array, Entry | None]:
    """Return a weight in uint8 with one scale and minimum; in float32 where that is not possible.

    Zero is a level, so pruned weights stay zero: value = level * scale + min. Integers stay what
    they are where they fit.
    """
    if not value.size or not np.isfinite(np.abs(value).max()):
        return value, None
    low, high = min(float(value.min()), 0.0), max(float(value.max()), 0.0)
    scale = (high - low) / _LEVELS or 1.0
    if scale <= 1 and np.array_equal(value, np.rint(value)):
        scale = 1.0
    zero_level = round(-low / scale)
    levels = np.clip(np.round(value / scale) + zero_level, 0, _LEVELS).astype(np.uint8)
    stored = {"dtype": "uint8", "original_dtype": "float32"}
    return levels, {**stored, "scale": scale, "min": -zero_level * scale}


def stored_size(entry: Mapping[str, Any]) -> int:
    """Return how many bytes the weight of a manifest entry takes. Raises ArtifactError."""
    return math.prod(map(int, entry["shape"])) * int(_stored_dtype(entry).itemsize)


def decode(entry: Mapping[str, Any], data: bytes | memoryview) -> Array:
    """Return the weight as TF.js computes with it. Raises ArtifactError."""
    stored = np.frombuffer(data, _stored_dtype(entry)).reshape(entry["shape"])
    quantization = entry.get("quantization")
    if quantization is None or quantization["dtype"] == "float16":
        return stored.astype(entry["dtype"])
    values = stored * np.float64(quantization["scale"]) + quantization["min"]
    if np.dtype(entry["dtype"]).kind == "i":
        values = np.rint(values)
    return np.asarray(values.astype(entry["dtype"]))


def _stored_dtype(entry: Mapping[str, Any]) -> Any:
    quantization = entry.get("quantization")
    name = entry["dtype"] if quantization is None else quantization["dtype"]
    known = STORED_DTYPES if quantization is None else _QUANTIZED_DTYPES
    if name not in known:
        raise ArtifactError(f"the weight '{entry['name']}' is stored as {name}")
    return np.dtype(name).newbyteorder("<")
