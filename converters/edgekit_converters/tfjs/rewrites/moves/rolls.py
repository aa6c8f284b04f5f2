"""Roll, which TF.js does not have: `keras.ops.roll`, and windows that are shifted, as in Swin."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import replace_node
from edgekit_converters.tfjs.shapes import InputShapes

OP = "Roll"


def rewrite(graph: EditableGraph, shapes: InputShapes) -> bool:
    """Let each Roll whose shifts are known put the end of each axis before its beginning."""
    changed = False
    for node in graph:
        if node.op != OP or node.name not in shapes:
            continue
        shape = shapes[node.name][0]
        shifts, axes = (graph.constant(name) for name in node.input[1:3])
        if shape is None or shifts is None or axes is None:
            continue
        sizes = [shape[axis] for axis in np.ravel(axes)]
        if None not in sizes:
            moves = list(
                zip(np.ravel(axes).tolist(), np.ravel(shifts).tolist(), sizes, strict=True)
            )
            _replace(graph, node, moves)
            changed = True
    return changed


def _replace(graph: EditableGraph, node: Any, moves: list[Any]) -> None:
    def roll(x: Any) -> Any:
        for axis, shift, size in moves:
            end = shift % size
            if end:
                parts = tf.split(x, [size - end, end], axis)
                x = tf.concat(parts[::-1], axis)
        return x

    replace_node(graph, node, roll, {node.input[0]: node.attr["T"].type})
