"""MatrixDiagPartV3 with one diagonal, which TFLite and TF.js lack: elements at known places."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import constant_behind, replace_node
from edgekit_converters.graph.shapes import infer_shapes


def rewrite(graph: EditableGraph) -> bool:
    """Replace each reading of one known diagonal of matrices of known size."""
    found = [node for node in graph if node.op == "MatrixDiagPartV3"]
    shapes = infer_shapes(graph.frozen()) if found else {}
    changed = False
    for node in found:
        shape, value = shapes.get(node.input[0]), constant_behind(graph, node.input[1])
        diagonals = set() if value is None else {int(number) for number in np.ravel(value)}
        if shape and None not in shape[1:] and len(diagonals) == 1:
            _replace(graph, node, shape, *diagonals)
            changed = True
    return changed


def _replace(graph: EditableGraph, node: Any, shape: Any, diagonal: int) -> None:
    *outer, rows, columns = shape
    places = np.diagonal(np.arange(rows * columns).reshape(rows, columns), diagonal)

    def compute(x: Any) -> Any:
        free = [-1 if size is None else size for size in outer]
        flat = tf.reshape(x, [*free, rows * columns])
        return tf.gather(flat, places.astype(np.int32), axis=len(outer))

    replace_node(graph, node, compute, {node.input[0]: node.attr["T"].type})
