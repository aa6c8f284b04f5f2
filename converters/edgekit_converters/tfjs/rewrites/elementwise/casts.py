"""Cast to boolean, by which TF.js on wasm cuts off the fraction and all bits beyond eight."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import replace_node
from edgekit_converters.graph.shapes import InputShapes

OP = "Cast"
BOOL = tf.bool.as_datatype_enum


def rewrite(graph: EditableGraph, shapes: InputShapes) -> bool:
    """Let each Cast to boolean ask what is not zero."""
    found = [node for node in graph if is_to_bool(node)]
    for node in found:
        dtype = node.attr["SrcT"].type
        replace_node(
            graph, node, lambda x: tf.not_equal(x, tf.zeros((), x.dtype)), {node.input[0]: dtype}
        )
    return bool(found)


def is_to_bool(node: Any) -> bool:
    """Return whether a node makes booleans of numbers."""
    return bool(node.op == OP and node.attr["DstT"].type == BOOL)
