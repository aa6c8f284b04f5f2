"""Roll, which TFLite and TF.js lack: the end of the tensor, and what stands before it."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import constant_behind, replace_node
from edgekit_converters.graph.shapes import infer_shapes


def rewrite(graph: EditableGraph) -> bool:
    """Replace each Roll by known numbers of steps along axes of known size."""
    found = [node for node in graph if node.op == "Roll"]
    shapes = infer_shapes(graph.frozen()) if found else {}
    changed = False
    for node in found:
        shape = shapes.get(node.input[0])
        steps, axes = (constant_behind(graph, name) for name in node.input[1:3])
        if shape and steps is not None and axes is not None:
            pairs = zip(np.ravel(axes), np.ravel(steps), strict=True)
            moves = [(int(axis) % len(shape), int(step)) for axis, step in pairs]
            if all(shape[axis] for axis, _ in moves):
                _replace(graph, node, shape, moves)
                changed = True
    return changed


def _replace(graph: EditableGraph, node: Any, shape: Any, moves: list[tuple[int, int]]) -> None:
    def compute(x: Any) -> Any:
        for axis, step in moves:
            first = step % shape[axis]
            if first:
                sizes = [shape[axis] - first, first]
                start, end = tf.split(x, sizes, axis)
                x = tf.concat([end, start], axis)
        return x

    replace_node(graph, node, compute, {node.input[0]: node.attr["T"].type})
