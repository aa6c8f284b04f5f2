"""Integers of eight and sixteen bits, which count around: 200 + 100 is 44 in uint8.

TF.js computes all integers in 32 bits: what leaves the range is brought back.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import replace_node

INT32 = tf.int32.as_datatype_enum
_NARROW = {
    dtype.as_datatype_enum: (dtype.min, dtype.max)
    for dtype in (tf.uint8, tf.int8, tf.uint16, tf.int16)
}
_INTEGERS = {tf.int32, tf.int64, tf.uint32, tf.uint64} | {tf.as_dtype(kind) for kind in _NARROW}
# What may leave the range of the integers that it is given.
_GROWING = frozenset(
    {"Abs", "Add", "AddN", "AddV2", "Cumprod", "Cumsum", "MatMul", "BatchMatMulV2", "Mul", "Neg"}
    | {"Pow", "Prod", "Square", "SquaredDifference", "Sub", "Sum"}
)

Range = tuple[int, int]


def range_of(node: Any) -> Range | None:
    """Return the least and the largest number of what a node makes, where it may leave them.

    To be asked before the types are narrowed.
    """
    if node.op in _GROWING:
        return _NARROW.get(node.attr["T"].type)
    if node.op != "Cast":
        return None
    source, bounds = tf.as_dtype(node.attr["SrcT"].type), _NARROW.get(node.attr["DstT"].type)
    # Of a fraction beyond the range TensorFlow makes what the machine makes.
    if bounds is None or source not in _INTEGERS:
        return None
    return bounds if source.min < bounds[0] or source.max > bounds[1] else None


def wrap(graph: EditableGraph, node: Any, bounds: Range) -> None:
    """Bring what a node makes, int32 by now, back into a range."""
    low, count = bounds[0], bounds[1] - bounds[0] + 1
    wrapped = graph.add("Identity", f"{node.name}/wrap", [], T=INT32)
    graph.replace(node.name, wrapped)
    graph.set_inputs(graph.node(wrapped), [node.name])

    def around(x: Any) -> Any:
        return tf.math.floormod(x - low, count) + low if low else tf.math.floormod(x, count)

    replace_node(graph, graph.node(wrapped), around, {node.name: INT32})
