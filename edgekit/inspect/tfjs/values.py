"""Arithmetic on shapes in a TF.js model: what a `Reshape` layer with a free batch size leaves.

Such values follow from shapes, so for a batch of one they are known without running anything.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping

import numpy as np

from edgekit.inspect.model import Shape
from edgekit.inspect.tfjs.operation import Operation
from edgekit_runtimes.tensors import Array

# Longer vectors are not shapes.
LARGEST = 1024

Rule = Callable[[Operation], Array | None]


def infer_value(operation: Operation) -> Array | None:
    """Return the value of a node of integers, or None."""
    rule = RULES.get(operation.op)
    if rule is None:
        return None
    # What does not fit together is not arithmetic on shapes.
    with contextlib.suppress(ValueError, IndexError, ZeroDivisionError):
        value = rule(operation)
        return value if value is None or value.size <= LARGEST else None
    return None


def _shape(operation: Operation) -> Array | None:
    shape: Shape | None = operation.shape()
    return None if shape is None or None in shape else np.array(shape, np.int64)


def _same(operation: Operation) -> Array | None:
    return operation.array(0)


def _slice(operation: Operation) -> Array | None:
    data, ends = operation.array(0), [operation.values(place) for place in (1, 2, 3)]
    if data is None or data.ndim != 1 or any(end is None or len(end) != 1 for end in ends):
        return None
    begin, end, step = (end[0] for end in ends if end is not None)
    if operation.number("shrink_axis_mask", 0) & 1:
        return np.asarray(data[begin])
    first = None if operation.number("begin_mask", 0) & 1 else begin
    last = None if operation.number("end_mask", 0) & 1 else end
    return np.asarray(data[first:last:step])


def _pack(operation: Operation) -> Array | None:
    arrays = operation.arrays
    return None if arrays is None else np.stack(arrays, axis=operation.number("axis", 0))


def _concat(operation: Operation) -> Array | None:
    arrays = operation.arrays
    return None if arrays is None else np.concatenate(arrays[:-1], axis=int(arrays[-1]))


def _gather(operation: Operation) -> Array | None:
    arrays = operation.arrays
    if arrays is None or len(arrays) < 2:
        return None
    axis = int(arrays[2]) if len(arrays) > 2 else 0
    return np.asarray(np.take(arrays[0], arrays[1], axis=axis))


def _product(operation: Operation) -> Array | None:
    data, axes = operation.array(0), operation.values(1)
    if data is None or axes is None:
        return None
    keep = operation.flag("keep_dims")
    return np.asarray(np.prod(data, axis=tuple(axes), keepdims=keep))


def _elementwise(compute: Callable[[Array, Array], Array]) -> Rule:
    def rule(operation: Operation) -> Array | None:
        arrays = operation.arrays
        return None if arrays is None else np.asarray(compute(arrays[0], arrays[1]))

    return rule


RULES: Mapping[str, Rule] = {
    "Shape": _shape,
    "Identity": _same,
    "Cast": _same,
    "StridedSlice": _slice,
    "Pack": _pack,
    "ConcatV2": _concat,
    "GatherV2": _gather,
    "Prod": _product,
    "Add": _elementwise(np.add),
    "AddV2": _elementwise(np.add),
    "Sub": _elementwise(np.subtract),
    "Mul": _elementwise(np.multiply),
    "FloorDiv": _elementwise(np.floor_divide),
    "Maximum": _elementwise(np.maximum),
    "Minimum": _elementwise(np.minimum),
}
