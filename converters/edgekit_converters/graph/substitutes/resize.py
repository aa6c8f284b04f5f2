"""Resizing of images by cubic or Lanczos kernels, by area or with antialiasing: no format has it.

Each row and each column of the result is a weighted sum of those of the image: two products with
constant matrices. TensorFlow computes their weights, from images of a single bright line.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import replace_node
from edgekit_converters.graph.shapes import infer_shapes, value_of_shapes
from edgekit_runtimes.tensors import Array

OPS = frozenset({"ResizeArea", "ResizeBicubic", "ScaleAndTranslate"})


def rewrite(graph: EditableGraph) -> bool:
    """Replace each such resizing from a known size to a known size."""
    found = [node for node in graph if node.op in OPS]
    frozen = graph.frozen()
    shapes = infer_shapes(frozen) if found else {}
    changed = False
    for node in found:
        image = shapes.get(node.input[0])
        constants = [value_of_shapes(frozen, name, shapes) for name in node.input[1:]]
        if not image or None in image[1:] or any(value is None for value in constants):
            continue
        rows = _weights(node, constants, 0, image)
        columns = _weights(node, constants, 1, image)
        _replace(graph, node, rows, columns, image)
        changed = True
    return changed


def _weights(node: Any, constants: list[Any], axis: int, image: Any) -> Array:
    """Return the weights [size of the result, size of the image] along height or width."""
    size = image[1 + axis]
    # Image number k is bright at k alone; along the other axis it is as it is.
    lines = np.eye(size, dtype=np.float32)
    lines = lines[:, :, None, None] if axis == 0 else lines[:, None, :, None]
    shape = list(lines.shape)
    shape[2 - axis] = image[2 - axis]
    attributes = {
        key: value.s.decode() if value.s else value.b
        for key, value in node.attr.items()
        if key not in ("T", "_output_shapes")
    }
    images = tf.constant(np.broadcast_to(lines, shape))
    names = ("size", "scale", "translation")[: len(constants)]
    operands = dict(zip(names, constants, strict=True))
    resized = getattr(tf.raw_ops, node.op)(images=images, **operands, **attributes)
    # All lines of the result along the other axis are alike: their weights sum to 1.
    return np.asarray(resized.numpy()[:, :, 0, 0] if axis == 0 else resized.numpy()[:, 0, :, 0]).T


def _replace(graph: EditableGraph, node: Any, rows: Array, columns: Array, image: Any) -> None:
    _, height, width, channels = image

    def compute(x: Any) -> Any:
        x = tf.cast(x, tf.float32)
        x = tf.reshape(x, [-1, height, width * channels])
        x = tf.matmul(tf.constant(rows), x)
        x = tf.reshape(x, [-1, len(rows), width, channels])
        x = tf.transpose(x, [0, 1, 3, 2])
        x = tf.reshape(x, [-1, width])
        x = tf.matmul(x, tf.constant(columns.T))
        x = tf.reshape(x, [-1, len(rows), channels, len(columns)])
        return tf.transpose(x, [0, 1, 3, 2])

    replace_node(graph, node, compute, {node.input[0]: node.attr["T"].type})
