"""FusedBatchNorm that normalizes by its own batch: TF.js takes the means that it is not given.

A layer called with training=True makes it.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph, output_tensor
from edgekit_converters.graph.normalize.parts import replace_node
from edgekit_converters.graph.shapes import InputShapes

OPS = ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")
# How many outputs the operator has: y, and statistics for training.
OUTPUTS = 6


def rewrite(graph: EditableGraph, shapes: InputShapes) -> bool:
    """Let each compute the means and the variances first, where only its result is read."""
    changed = False
    for node in graph:
        if node.op not in OPS or not node.attr["is_training"].b or node.name not in shapes:
            continue
        statistics = [output_tensor(node.name, index) for index in range(1, OUTPUTS)]
        shape = shapes[node.name][0]
        if shape is not None and not any(map(graph.users, statistics)):
            _replace(graph, node, len(shape))
            changed = True
    return changed


def _replace(graph: EditableGraph, node: Any, rank: int) -> None:
    names = list(dict.fromkeys(node.input[:3]))
    places = [names.index(name) for name in node.input[:3]]
    epsilon, axes = node.attr["epsilon"].f, list(range(rank - 1))

    def normalize(*tensors: Any) -> Any:
        x, scale, offset = (tensors[place] for place in places)
        centered = x - tf.raw_ops.Mean(input=x, axis=axes, keep_dims=True)
        variance = tf.raw_ops.Mean(input=tf.square(centered), axis=axes, keep_dims=True)
        return centered * tf.math.rsqrt(variance + epsilon) * scale + offset

    replace_node(graph, node, normalize, dict.fromkeys(names, node.attr["T"].type))
