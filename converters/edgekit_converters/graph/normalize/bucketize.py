"""Bucketize: how many boundaries each value has reached. Keras's Discretization makes it.

TF.js and ONNX have no such op; comparisons and a sum do the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import replace_node


def rewrite(graph: EditableGraph) -> bool:
    """Replace each Bucketize by comparisons with its boundaries."""
    found = [node for node in graph if node.op == "Bucketize"]
    for node in found:
        dtype = tf.as_dtype(node.attr["T"].type)
        boundaries = np.array(node.attr["boundaries"].list.f, np.float32)

        def count(x: Any, boundaries: Any = boundaries, dtype: Any = dtype) -> Any:
            if dtype.is_integer:
                # An integer reaches a boundary where it reaches the next integer above it.
                boundaries = np.ceil(boundaries).astype(dtype.as_numpy_dtype)
            limits = boundaries.astype(dtype.as_numpy_dtype)
            reached = tf.greater_equal(tf.expand_dims(x, -1), limits)
            return tf.reduce_sum(tf.cast(reached, tf.int32), axis=-1)

        replace_node(graph, node, count, {node.input[0]: node.attr["T"].type})
    return bool(found)
