"""EuclideanNorm, which TF.js has over one axis or two only."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import replace_node
from edgekit_converters.graph.shapes import InputShapes

OP = "EuclideanNorm"


def rewrite(graph: EditableGraph, shapes: InputShapes) -> bool:
    """Let each EuclideanNorm be the root of a sum of squares."""
    found = [node for node in graph if node.op == OP]
    for node in found:
        dtypes = {node.input[0]: node.attr["T"].type, node.input[1]: node.attr["Tidx"].type}
        keeps = node.attr["keep_dims"].b

        def length(x: Any, axes: Any, keeps: bool = keeps) -> Any:
            return tf.sqrt(tf.raw_ops.Sum(input=tf.square(x), axis=axes, keep_dims=keeps))

        replace_node(graph, node, length, dtypes)
    return bool(found)
