"""OneHot in integers: onnxruntime has kernels for few pairs of number types, all have float32's."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import replace_node


def rewrite(graph: EditableGraph) -> bool:
    """Let each OneHot of integers or booleans be one of float32, cast afterwards."""
    changed = False
    for node in graph:
        if node.op != "OneHot" or tf.as_dtype(node.attr["T"].type).is_floating:
            continue
        depth, on, off = (graph.constant(name) for name in node.input[1:4])
        if depth is not None and on is not None and off is not None:
            _replace(graph, node, int(depth), float(on), float(off))
            changed = True
    return changed


def _replace(graph: EditableGraph, node: Any, depth: int, on: float, off: float) -> None:
    dtype, axis = tf.as_dtype(node.attr["T"].type), node.attr["axis"].i

    def encode(x: Any) -> Any:
        indices = tf.cast(x, tf.int32)
        codes = tf.one_hot(indices, depth, on, off, axis=axis, dtype=tf.float32)
        return tf.cast(codes, dtype)

    replace_node(graph, node, encode, {node.input[0]: node.attr["TI"].type})
