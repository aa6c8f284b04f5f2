"""How a node computes, told from the dtypes of what it multiplies."""

from __future__ import annotations

from typing import cast

from edgekit.inspect.model import Compute

_SHORT = {
    "float32": "fp32",
    "float64": "fp32",
    "float16": "fp16",
    "bfloat16": "fp16",
    "int8": "int8",
    "uint8": "int8",
    "uint16": "int16",
    "int16": "int16",
    "int4": "int4",
    "uint4": "int4",
}
_EIGHT_BITS = ("int8", "uint8")
_SIXTEEN_BITS = ("int16", "uint16")


def is_float(dtype: str) -> bool:
    """Whether a dtype is one of floats ("float8_e4m3fn" and "bfloat16" included)."""
    return dtype.startswith(("float", "bfloat"))


def kernel_compute(data: str, kernel: str, stored: str) -> Compute:
    """Return how a node computes that multiplies data by a kernel.

    data, kernel: their dtypes as the node reads them. stored: the dtype of the constant that the
    kernel is made from; that of the kernel where nothing expands it.
    """
    if data in _EIGHT_BITS:
        return "int8"
    if data in _SIXTEEN_BITS:
        return "int16x8"
    if not is_float(data):
        return "other"
    if not is_float(kernel):
        # An integer kernel under float data: the engine quantizes the data in each run.
        return "int4-dynamic" if _SHORT.get(kernel) == "int4" else "int8-dynamic"
    if stored in _SHORT and _SHORT[stored] not in ("fp32", _SHORT.get(kernel)):
        return cast(Compute, f"{_SHORT[stored]}-weights")
    return float_compute(data)


def element_compute(dtype: str, is_quantized: bool) -> Compute:
    """Return how a node computes that multiplies no kernel: by the dtype of its result."""
    if is_float(dtype):
        return float_compute(dtype)
    if is_quantized and dtype in _SIXTEEN_BITS:
        return "int16x8"
    return "int8" if is_quantized else "other"


def float_compute(dtype: str) -> Compute:
    """Return the word for computing in a float dtype."""
    return cast(Compute, _SHORT.get(dtype, "fp32"))
