"""ClipByValue, of whose bounds TF.js reads only the first number, and on wasm as float32."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import replace_node
from edgekit_converters.graph.shapes import InputShapes

OP = "ClipByValue"
FLOAT = tf.float32.as_datatype_enum


def rewrite(graph: EditableGraph, shapes: InputShapes) -> bool:
    """Let each ClipByValue be a minimum and a maximum, except of float32 between two numbers."""
    changed = False
    for node in graph:
        if node.op != OP or node.name not in shapes:
            continue
        if node.attr["T"].type == FLOAT and shapes[node.name][1:] == ((), ()):
            continue
        names = list(dict.fromkeys(node.input))
        places = [names.index(name) for name in node.input]

        def clip(*tensors: Any, places: list[int] = places) -> Any:
            x, low, high = (tensors[place] for place in places)
            return tf.maximum(tf.minimum(x, high), low)

        replace_node(graph, node, clip, dict.fromkeys(names, node.attr["T"].type))
        changed = True
    return changed
