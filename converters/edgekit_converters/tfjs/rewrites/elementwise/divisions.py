"""FloorDiv of float32, of which TF.js makes int32."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import replace_node
from edgekit_converters.graph.shapes import InputShapes

OP = "FloorDiv"
FLOAT = tf.float32.as_datatype_enum


def rewrite(graph: EditableGraph, shapes: InputShapes) -> bool:
    """Let each FloorDiv of float32 divide, and round down afterwards."""
    found = [node for node in graph if node.op == OP and node.attr["T"].type == FLOAT]
    for node in found:
        names = list(dict.fromkeys(node.input))
        places = [names.index(name) for name in node.input]

        def divide(*tensors: Any, places: list[int] = places) -> Any:
            return tf.floor(tensors[places[0]] / tensors[places[1]])

        replace_node(graph, node, divide, dict.fromkeys(names, FLOAT))
    return bool(found)
