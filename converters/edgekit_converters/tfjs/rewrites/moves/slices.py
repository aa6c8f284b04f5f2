"""StridedSlice with steps: TF.js takes the wrong numbers where it also drops an axis or adds one.

On wasm it makes float32 of what it steps through, integers and booleans too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import replace_node
from edgekit_converters.graph.shapes import InputShapes
from edgekit_converters.tfjs.rewrites.sizes import sizes_of

OP = "StridedSlice"
FLOAT = tf.float32.as_datatype_enum
MASKS = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")


def rewrite(graph: EditableGraph, shapes: InputShapes) -> bool:
    """Let each such slice step first, and drop and add axes afterwards."""
    changed = False
    for node in graph:
        if node.op != OP or node.name not in shapes:
            continue
        strides, shape = graph.constant(node.input[3]), shapes[node.name][0]
        if strides is None or shape is None:
            continue
        spec = _Spec(strides.tolist(), {name: node.attr[name].i for name in MASKS}, shape)
        is_float = node.attr["T"].type == FLOAT
        if spec.stepping and not (is_float and not spec.changes_axes):
            _replace(graph, node, spec, is_float)
            changed = True
    return changed


@dataclass(frozen=True)
class _Spec:
    """What a StridedSlice asks for: steps, masks, and the shape of what is sliced."""

    strides: list[int]
    masks: dict[str, int]
    shape: Any

    def has(self, name: str, place: int) -> bool:
        return bool(self.masks[name] >> place & 1)

    @property
    def changes_axes(self) -> bool:
        return bool(self.masks["new_axis_mask"] or self.masks["shrink_axis_mask"])

    @property
    def stepping(self) -> dict[int, int]:
        """The axis of each place that steps."""
        reading = [
            place for place in range(len(self.strides)) if not self.has("new_axis_mask", place)
        ]
        found, after = {}, False
        for number, place in enumerate(reading):
            after |= self.has("ellipsis_mask", place)
            axis = number - len(reading) + len(self.shape) if after else number
            is_index = self.has("ellipsis_mask", place) or self.has("shrink_axis_mask", place)
            if self.strides[place] != 1 and not is_index:
                found[place] = axis
        return found


def _replace(graph: EditableGraph, node: Any, spec: _Spec, is_float: bool) -> None:
    names = list(dict.fromkeys(node.input[:3]))
    places = [names.index(name) for name in node.input[:3]]
    dtypes = dict.fromkeys(names, node.attr["Index"].type) | {node.input[0]: node.attr["T"].type}
    ends = [graph.constant(name) for name in node.input[1:3]]

    def cut(*tensors: Any) -> Any:
        x, *given = (tensors[place] for place in places)
        begin, end = (
            tensor if value is None else value.tolist()
            for tensor, value in zip(given, ends, strict=True)
        )
        step = _step_floats if is_float else _step_others
        stepped = step(x, begin, end, spec)
        if not spec.changes_axes and len(spec.stepping) == len(spec.strides):
            return stepped
        whole = sum(1 << place for place in spec.stepping)
        masks = {**spec.masks}
        for name in ("begin_mask", "end_mask"):
            masks[name] |= whole
        plain = [1 if place in spec.stepping else n for place, n in enumerate(spec.strides)]
        return tf.raw_ops.StridedSlice(input=stepped, begin=begin, end=end, strides=plain, **masks)

    replace_node(graph, node, cut, dtypes)


def _step_others(x: Any, begin: Any, end: Any, spec: _Spec) -> Any:
    sizes = sizes_of(x, spec.shape)
    for place, axis in spec.stepping.items():
        first = None if spec.has("begin_mask", place) else begin[place]
        last = None if spec.has("end_mask", place) else end[place]
        x = tf.gather(x, _steps(sizes[axis], first, last, spec.strides[place]), axis=axis)
    return x


def _step_floats(x: Any, begin: Any, end: Any, spec: _Spec) -> Any:
    rank = len(spec.shape)
    form = {"begin": [0] * rank, "end": [0] * rank, "strides": [1] * rank}
    masked = {"begin_mask": 0, "end_mask": 0}
    by_axis = {axis: place for place, axis in spec.stepping.items()}
    for axis in range(rank):
        place = by_axis.get(axis)
        if place is not None:
            form["begin"][axis], form["end"][axis] = begin[place], end[place]
            form["strides"][axis] = spec.strides[place]
        for name in masked:
            if place is None or spec.has(name, place):
                masked[name] |= 1 << axis
    return tf.raw_ops.StridedSlice(input=x, **form, **masked)


def _steps(size: Any, first: Any, last: Any, stride: int) -> Any:
    """Return the places that x[first:last:stride] takes along an axis; None stands for its end."""
    if all(isinstance(number, int | None) for number in (size, first, last)):
        return np.arange(size, dtype=np.int32)[first:last:stride]
    low, high = (0, size) if stride > 0 else (-1, size - 1)

    def bounded(number: Any, otherwise: Any) -> Any:
        if number is None:
            return otherwise
        counted = tf.where(tf.less(number, 0), number + size, number)
        return tf.clip_by_value(counted, low, high)

    start, stop = (low, high) if stride > 0 else (high, low)
    return tf.range(bounded(first, start), bounded(last, stop), stride)
