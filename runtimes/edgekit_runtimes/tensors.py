"""Named tensors: what a model expects, and arrays that fit it.

A *sample* is one input of the model. Data is kept as one array per input with the samples along
the first axis; a model runs one sample at a time.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgekit_runtimes.errors import DataError

Array = npt.NDArray[Any]
Arrays = dict[str, Array]


@dataclass(frozen=True)
class TensorSpec:
    """Name, shape and dtype of an input or output of a model.

    shape: one entry per axis; None where the size is free.
    dtype: numpy's name of it ("float32").
    quantization: (scale, zero point) of an integer tensor that represents real numbers.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    quantization: tuple[float, int] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form, as it is in manifests and events."""
        form: dict[str, Any] = {"name": self.name, "shape": list(self.shape), "dtype": self.dtype}
        if self.quantization is not None:
            form["quantization"] = {
                "scale": self.quantization[0],
                "zero_point": self.quantization[1],
            }
        return form

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> TensorSpec:
        """Return the spec whose JSON form is given."""
        quantization = form.get("quantization")
        return cls(
            name=form["name"],
            shape=tuple(form["shape"]),
            dtype=form["dtype"],
            quantization=(quantization["scale"], quantization["zero_point"])
            if quantization
            else None,
        )

    def __str__(self) -> str:
        sizes = ", ".join("?" if size is None else str(size) for size in self.shape)
        return f"{self.name}: {self.dtype}[{sizes}]"


def is_batched(inputs: Sequence[TensorSpec]) -> bool:
    """Return whether the first axis of every input is a batch axis (of free size, or 1).

    Then a sample is one entry along that axis; otherwise a sample is a whole tensor.
    """
    return all(spec.shape and spec.shape[0] in (None, 1) for spec in inputs)


def sample_shape(spec: TensorSpec, batched: bool) -> tuple[int | None, ...]:
    """Return the shape of one sample of `spec`, without the batch axis."""
    return spec.shape[1:] if batched else spec.shape


def pick_sample(arrays: Mapping[str, Array], index: int, batched: bool) -> Arrays:
    """Return sample number `index` in the shape that the model takes."""
    if batched:
        return {name: array[index : index + 1] for name, array in arrays.items()}
    return {name: np.asarray(array[index]) for name, array in arrays.items()}


def unbatch(output: Array, batched: bool) -> Array:
    """Return the output of one sample without its batch axis, ready to be stacked with others."""
    return output[0] if batched and output.ndim > 0 and output.shape[0] == 1 else output


@dataclass(frozen=True)
class Preprocessing:
    """What is done to stored samples before the model sees them: (x * scale - mean) / std.

    mean, std: one number per channel (last axis), or a single one.
    resize: (height, width) that images were resized to when they were read; already done in
    stored samples, kept so that a page or an application can do the same.
    """

    scale: float = 1.0
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    resize: tuple[int, int] | None = None

    @property
    def changes_values(self) -> bool:
        """Whether anything except a cast is done."""
        return self.scale != 1.0 or bool(self.mean) or bool(self.std)

    def apply(self, array: Array, dtype: str, name: str = "data") -> Array:
        """Return `array` as the model takes it, in `dtype`.

        Raises DataError, calling the array `name`, if values would be lost in a cast.
        """
        if not self.changes_values:
            return cast_losslessly(array, dtype, name)
        values: Array = array.astype(np.float32) * np.float32(self.scale)
        if self.mean:
            values = values - np.asarray(self.mean, np.float32)
        if self.std:
            values = values / np.asarray(self.std, np.float32)
        return np.asarray(cast_losslessly(values, dtype, name))

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "scale": self.scale,
            "mean": list(self.mean),
            "std": list(self.std),
            "resize": list(self.resize) if self.resize else None,
        }

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> Preprocessing:
        """Return the preprocessing whose JSON form is given."""
        resize = form.get("resize")
        return cls(
            scale=form.get("scale", 1.0),
            mean=tuple(form.get("mean", ())),
            std=tuple(form.get("std", ())),
            resize=(resize[0], resize[1]) if resize else None,
        )


def cast_losslessly(array: Array, dtype: str, name: str = "data") -> Array:
    """Return `array` in `dtype` where that keeps every value; float64 to float32 is allowed.

    Raises DataError naming both dtypes if values would be lost.
    """
    wanted = np.dtype(dtype)
    if array.dtype == wanted:
        return array
    both_float = array.dtype.kind == "f" and wanted.kind == "f" and wanted.itemsize >= 4
    if both_float or np.can_cast(array.dtype, wanted, casting="safe"):
        return array.astype(wanted)
    if array.dtype.kind in "iub" and wanted.kind in "iuf":
        # int64 labels or token ids are fine as int32 or float32 as long as every value survives.
        cast = array.astype(wanted)
        # Both: -1 as uint8 is 255, and is cast back to -1.
        if np.array_equal(cast, array) and np.array_equal(cast.astype(array.dtype), array):
            return cast
    raise DataError(
        f"'{name}' is {array.dtype.name} and the model takes {wanted.name}: "
        f"the cast would change values. Convert the data to {wanted.name} yourself."
    )


def quantize(array: Array, spec: TensorSpec) -> Array:
    """Return real numbers as the integers of `spec`, rounded and clipped to its dtype."""
    if spec.quantization is None or array.dtype.kind != "f":
        return array
    scale, zero_point = spec.quantization
    limits = np.iinfo(spec.dtype)
    values = np.round(array / scale) + zero_point
    return np.clip(values, limits.min, limits.max).astype(spec.dtype)


def dequantize(array: Array, spec: TensorSpec) -> Array:
    """Return the real numbers (float32) that the integers of `spec` represent."""
    if spec.quantization is None or array.dtype.kind == "f":
        return array
    scale, zero_point = spec.quantization
    return (array.astype(np.float32) - np.float32(zero_point)) * np.float32(scale)


def encode_array(array: Array) -> dict[str, Any]:
    """Return the JSON form of an array: dtype, shape and base64 of its little-endian bytes."""
    array = np.asarray(array)
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return {
        "dtype": array.dtype.name,
        "shape": list(array.shape),
        "data": base64.b64encode(little.tobytes()).decode("ascii"),
    }


def decode_array(form: Mapping[str, Any]) -> Array:
    """Return the array whose JSON form is given."""
    dtype = np.dtype(form["dtype"]).newbyteorder("<")
    flat = np.frombuffer(base64.b64decode(form["data"]), dtype=dtype)
    return flat.reshape(form["shape"]).astype(form["dtype"])
