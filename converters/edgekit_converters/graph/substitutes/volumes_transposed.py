"""Transposed convolutions of volumes, which TF.js lacks: convolutions of volumes spread by zeros.

Between the elements of each axis stand strides - 1 zeros, and so many before and behind that the
kernel, turned round, meets each of them as the transposed convolution does.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import replace_node
from edgekit_converters.graph.shapes import infer_shapes, value_of_shapes
from edgekit_runtimes.tensors import Array

OP = "Conv3DBackpropInputV2"
SPATIAL = (1, 2, 3)


def rewrite(graph: EditableGraph) -> bool:
    """Replace each one that makes volumes of a known size by a constant kernel."""
    found = [node for node in graph if node.op == OP]
    frozen = graph.frozen()
    shapes = infer_shapes(frozen) if found else {}
    changed = False
    for node in found:
        volume = shapes.get(node.input[2])
        kernel = value_of_shapes(frozen, node.input[1], {})
        result = shapes.get(node.name)
        is_known = volume and result and None not in (*volume[1:], *result[1:])
        if is_known and kernel is not None and set(node.attr["dilations"].list.i) <= {1}:
            _replace(graph, node, kernel, volume, result)
            changed = True
    return changed


def _replace(graph: EditableGraph, node: Any, kernel: Array, volume: Any, result: Any) -> None:
    strides = list(node.attr["strides"].list.i)
    is_same = node.attr["padding"].s == b"SAME"
    turned = np.ascontiguousarray(kernel[::-1, ::-1, ::-1].swapaxes(3, 4))

    def compute(x: Any) -> Any:
        sizes = list(volume)
        for axis in SPATIAL:
            reach, step = kernel.shape[axis - 1], strides[axis]
            lost = max((volume[axis] - 1) * step + reach - result[axis], 0) if is_same else 0
            before = reach - 1 - lost // 2
            x = _spread(x, sizes, axis, step)
            sizes[axis] *= step
            x = _padded(x, sizes, axis, before, result[axis] + reach - 1)
            sizes[axis] = result[axis] + reach - 1
        x = tf.reshape(x, [-1, *sizes[1:]])
        return tf.nn.conv3d(x, turned, [1] * 5, "VALID")

    replace_node(graph, node, compute, {node.input[2]: node.attr["T"].type})


def _spread(x: Any, sizes: list[int], axis: int, step: int) -> Any:
    """Put `step` - 1 zeros behind each element of an axis."""
    inner = math.prod(sizes[axis + 1 :])
    x = tf.reshape(x, [-1, sizes[axis], inner])
    return tf.pad(x, [[0, 0], [0, 0], [0, (step - 1) * inner]])


def _padded(x: Any, sizes: list[int], axis: int, before: int, size: int) -> Any:
    """Bring an axis to `size` by zeros, `before` of them first; what is too much is cut off."""
    x = tf.reshape(x, [-1, sizes[axis], math.prod(sizes[axis + 1 :])])
    x = tf.pad(x, [[0, 0], [before, max(size - before - sizes[axis], 0)], [0, 0]])
    return x[:, :size]
