"""Operators that TF.js does not have, and that a few others say exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf
from tensorflow.python.framework import op_def_registry

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import replace_node
from edgekit_converters.graph.shapes import InputShapes


def _times_unless_zero(x: Any, factor: Any) -> Any:
    return tf.where(tf.equal(x, 0.0), tf.zeros_like(x), x * factor)


COMPOSED: Mapping[str, Callable[..., Any]] = {
    "Rint": tf.round,
    "TensorScatterAdd": lambda x, places, added: x + tf.scatter_nd(places, added, tf.shape(x)),
    "TensorScatterSub": lambda x, places, taken: x - tf.scatter_nd(places, taken, tf.shape(x)),
    "Xdivy": lambda x, y: _times_unless_zero(x, 1.0 / y),
    "Xlog1py": lambda x, y: _times_unless_zero(x, tf.math.log1p(y)),
    "Xlogy": lambda x, y: _times_unless_zero(x, tf.math.log(y)),
}


def rewrite(graph: EditableGraph, shapes: InputShapes) -> bool:
    """Let each such operator be those that say it."""
    found = [node for node in graph if node.op in COMPOSED]
    for node in found:
        arguments = op_def_registry.get(node.op).input_arg
        dtypes = {
            name: node.attr[argument.type_attr].type
            for name, argument in zip(node.input, arguments, strict=True)
        }
        places = [list(dtypes).index(name) for name in node.input]
        compute = COMPOSED[node.op]

        def say(*tensors: Any, compute: Any = compute, places: list[int] = places) -> Any:
            return compute(*(tensors[place] for place in places))

        replace_node(graph, node, say, dtypes)
    return bool(found)
