"""Pooling over volumes, which TFLite lacks: over each plane, then over the depth.

The largest of the largest is the largest. The mean of means is the mean as long as all are of
equally many elements; at the border of padding "SAME" they are not, but there each axis has a
count of its own.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import replace_node

POOLS = {"MaxPool3D": tf.nn.max_pool2d, "AvgPool3D": tf.nn.avg_pool2d}


def rewrite(graph: EditableGraph) -> bool:
    """Replace each pooling over volumes by two over planes."""
    changed = False
    for node in graph:
        if node.op in POOLS and "NDHWC" in (node.attr["data_format"].s or b"NDHWC").decode():
            _replace(graph, node)
            changed = True
    return changed


def _replace(graph: EditableGraph, node: Any) -> None:
    pool = POOLS[node.op]
    size, stride = (list(node.attr[name].list.i)[1:4] for name in ("ksize", "strides"))
    padding = node.attr["padding"].s.decode()

    def compute(x: Any) -> Any:
        _, depth, height, width, channels = tf.unstack(tf.shape(x), 5)
        planes = tf.reshape(x, tf.stack([-1, height, width, channels]))
        planes = pool(planes, size[1:], stride[1:], padding)
        _, height, width, _ = tf.unstack(tf.shape(planes), 4)
        columns = tf.reshape(planes, tf.stack([-1, depth, height * width, channels]))
        columns = pool(columns, (size[0], 1), (stride[0], 1), padding)
        depth = tf.shape(columns)[1]
        return tf.reshape(columns, tf.stack([-1, depth, height, width, channels]))

    replace_node(graph, node, compute, {node.input[0]: node.attr["T"].type})
