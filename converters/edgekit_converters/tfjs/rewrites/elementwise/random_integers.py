"""RandomUniformInt, whose range TF.js looks for among the attributes: it is in the inputs."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import replace_node
from edgekit_converters.graph.shapes import InputShapes

OP = "RandomUniformInt"


def rewrite(graph: EditableGraph, shapes: InputShapes) -> bool:
    """Let each RandomUniformInt round random numbers between 0 and 1 that are stretched."""
    found = [node for node in graph if node.op == OP]
    for node in found:
        names = list(dict.fromkeys(node.input))
        places = [names.index(name) for name in node.input]

        def draw(*tensors: Any, places: list[int] = places) -> Any:
            shape, low, high = (tensors[place] for place in places)
            share = tf.raw_ops.RandomUniform(shape=shape, dtype=tf.float32)
            return low + tf.cast(tf.floor(share * tf.cast(high - low, tf.float32)), tf.int32)

        replace_node(graph, node, draw, dict.fromkeys(names, tf.int32.as_datatype_enum))
    return bool(found)
