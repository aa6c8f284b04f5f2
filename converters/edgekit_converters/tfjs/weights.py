"""How weights are stored: one array as bytes and an entry of the weights manifest, and back.

TF.js computes in float32 whatever the storage: fp16 and int8-weights buy a smaller download and
no speed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from edgekit_runtimes.errors import ArtifactError, ConversionError
from edgekit_runtimes.tensors import Array

Entry = dict[str, Any]

STORED_DTYPES = ("float32", "int32", "bool", "complex64")
_QUANTIZED_DTYPES = ("float16", "uint8", "uint16")
_LEVELS = 255

# int8-weights stores smaller tensors in float16: the first kernels of a small net (3x3x3x32 = 864)
# cost the most accuracy and the fewest bytes. mbv2: 12 KB more, and an SQNR of 19.5 dB instead of
# the 16.0 dB of uint8 throughout.
MIN_UINT8_ELEMENTS = 900


def encode(
    name: str, value: Array, quantization: str, is_bias: bool = False
) -> tuple[Entry, bytes]:
    """Return the manifest entry and the bytes of one weight.

    quantization: "fp32", "fp16" (float16) or "int8-weights" (uint8, one scale and minimum for the
    tensor; small ones float16). Only float32 is quantized: integers are shapes and axes.
    is_bias: it stays float32, since it holds what was folded into it, and is small.
    Raises ConversionError for a dtype that the format has not.
    """
    if value.dtype.name not in STORED_DTYPES:
        raise ConversionError(f"The constant '{name}' is {value.dtype}, which TF.js has not.")
    entry: Entry = {"name": name, "shape": list(value.shape), "dtype": value.dtype.name}
    stored = value
    if value.dtype == np.float32 and quantization != "fp32" and not is_bias:
        largest = np.abs(value).max(initial=0)
        if quantization == "int8-weights" and value.size >= MIN_UINT8_ELEMENTS:
            if np.isfinite(largest):
                stored, entry["quantization"] = _to_uint8(value)
        elif largest <= np.finfo(np.float16).max:
            stored = value.astype(np.float16)
            entry["quantization"] = {"dtype": "float16", "original_dtype": "float32"}
    little = stored.astype(stored.dtype.newbyteorder("<"), copy=False)
    return entry, little.tobytes()


def stored_size(entry: Mapping[str, Any]) -> int:
    """Return how many bytes the weight of a manifest entry takes. Raises ArtifactError."""
    return int(np.prod(entry["shape"], dtype=np.int64) * _stored_dtype(entry).itemsize)


def decode(entry: Mapping[str, Any], data: bytes) -> Array:
    """Return the weight as TF.js computes with it. Raises ArtifactError."""
    stored = np.frombuffer(data, _stored_dtype(entry)).reshape(entry["shape"])
    quantization = entry.get("quantization")
    if quantization is None or quantization["dtype"] == "float16":
        return stored.astype(entry["dtype"])
    values = stored * np.float64(quantization["scale"]) + quantization["min"]
    return np.asarray(values.astype(entry["dtype"]))


def _stored_dtype(entry: Mapping[str, Any]) -> Any:
    quantization = entry.get("quantization")
    name = entry["dtype"] if quantization is None else quantization["dtype"]
    known = STORED_DTYPES if quantization is None else _QUANTIZED_DTYPES
    if name not in known:
        raise ArtifactError(f"the weight '{entry['name']}' is stored as {name}")
    return np.dtype(name).newbyteorder("<")


def _to_uint8(value: Array) -> tuple[Array, Entry]:
    """Quantize by value = level * scale + min. Zero is a level: pruned weights stay zero."""
    low, high = min(float(value.min()), 0.0), max(float(value.max()), 0.0)
    scale = (high - low) / _LEVELS or 1.0
    zero_level = round(-low / scale)
    levels = np.clip(np.round(value / scale) + zero_level, 0, _LEVELS).astype(np.uint8)
    stored = {"dtype": "uint8", "original_dtype": "float32"}
    return levels, {**stored, "scale": scale, "min": -zero_level * scale}
