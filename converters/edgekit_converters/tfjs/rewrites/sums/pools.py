"""MaxPool with explicit paddings, which TF.js does not read."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import replace_node
from edgekit_converters.graph.shapes import InputShapes


def rewrite(graph: EditableGraph, shapes: InputShapes) -> bool:
    """Let each pad first."""
    found = [
        node for node in graph if node.op == "MaxPool" and node.attr["padding"].s == b"EXPLICIT"
    ]
    for node in found:
        _pad_first(graph, node)
    return bool(found)


def _pad_first(graph: EditableGraph, node: Any) -> None:
    ends = np.reshape(node.attr["explicit_paddings"].list.i, (-1, 2)).astype(np.int32)
    sizes = {key: list(node.attr[key].list.i) for key in ("ksize", "strides")}

    def pool(x: Any) -> Any:
        padded = tf.pad(x, ends, constant_values=x.dtype.min)
        return tf.raw_ops.MaxPool(input=padded, padding="VALID", **sizes)

    replace_node(graph, node, pool, {node.input[0]: node.attr["T"].type})
