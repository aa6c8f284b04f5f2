"""RFFT, which tf2onnx reads with its magnitude alone: a product with cosines and sines.

Keras's STFTSpectrogram and MelSpectrogram, and `keras.ops.stft`, take its real and imaginary parts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import constant_behind, replace_node
from edgekit_converters.graph.shapes import infer_shapes
from edgekit_runtimes.tensors import Array

PARTS = frozenset({"Real", "Imag", "ComplexAbs"})


def rewrite(graph: EditableGraph) -> bool:
    """Replace the parts of each RFFT of a known length from which only its parts are read."""
    found = [node for node in graph if node.op == "RFFT"]
    shapes = infer_shapes(graph.frozen()) if found else {}
    changed = False
    for node in found:
        shape, length = shapes.get(node.input[0]), constant_behind(graph, node.input[1])
        users = graph.users(node.name)
        is_read_by_parts = all(user.op in PARTS for user in users)
        if not shape or not shape[-1] or length is None or not is_read_by_parts:
            continue
        if graph.is_output(node.name):
            continue
        cosines, sines = _waves(shape[-1], int(np.ravel(length)[0]))
        for user in users:
            _replace(graph, user, node, cosines, sines)
        changed = True
    return changed


def _waves(size: int, length: int) -> tuple[Array, Array]:
    """Return cosines and sines [size, frequencies]; what is beyond `length` counts for nothing."""
    places, frequencies = np.arange(size), np.arange(length // 2 + 1)
    angles = 2 * np.pi * np.outer(places, frequencies) / length
    inside = (places < length)[:, None]
    return (
        (np.cos(angles) * inside).astype(np.float32),
        (-np.sin(angles) * inside).astype(np.float32),
    )


def _replace(graph: EditableGraph, user: Any, node: Any, cosines: Array, sines: Array) -> None:
    def compute(x: Any) -> Any:
        if user.op == "Real":
            return tf.matmul(x, cosines)
        if user.op == "Imag":
            return tf.matmul(x, sines)
        return tf.sqrt(tf.square(tf.matmul(x, cosines)) + tf.square(tf.matmul(x, sines)))

    replace_node(graph, user, compute, {node.input[0]: tf.float32.as_datatype_enum})
