"""Grouped Conv3D, which tf2onnx writes without its groups and the other formats lack.

Each group is a convolution of its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import constant_behind, replace_node
from edgekit_converters.graph.shapes import infer_shapes
from edgekit_runtimes.tensors import Array

OP = "Conv3D"


def rewrite(graph: EditableGraph) -> bool:
    """Replace each Conv3D whose kernel reads fewer channels than its input has."""
    found = [node for node in graph if node.op == OP]
    shapes = infer_shapes(graph.frozen()) if found else {}
    changed = False
    for node in found:
        volume, kernel = shapes.get(node.input[0]), constant_behind(graph, node.input[1])
        if volume and volume[-1] and kernel is not None and volume[-1] != kernel.shape[-2]:
            _replace(graph, node, kernel, volume[-1] // kernel.shape[-2])
            changed = True
    return changed


def _replace(graph: EditableGraph, node: Any, kernel: Array, groups: int) -> None:
    strides, dilations = (list(node.attr[name].list.i) for name in ("strides", "dilations"))

    def compute(x: Any) -> Any:
        parts = zip(tf.split(x, groups, -1), np.split(kernel, groups, -1), strict=True)
        padding = node.attr["padding"].s.decode()
        results = [
            tf.raw_ops.Conv3D(
                input=part, filter=own, strides=strides, padding=padding, dilations=dilations
            )
            for part, own in parts
        ]
        return tf.concat(results, -1)

    replace_node(graph, node, compute, {node.input[0]: node.attr["T"].type})
