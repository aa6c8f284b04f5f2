"""Cumprod, which TFLite and ONNX lack: in steps of 1, 2, 4, …, each times what stands before it.

After the step of k, each element is the product of the 2 k elements up to it.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import replace_node
from edgekit_converters.graph.shapes import infer_shapes


def rewrite(graph: EditableGraph) -> bool:
    """Replace each Cumprod along an axis whose size is known."""
    found = [node for node in graph if node.op == "Cumprod" and _is_plain(node)]
    shapes = infer_shapes(graph.frozen()) if found else {}
    changed = False
    for node in found:
        shape, axis = shapes.get(node.input[0]), graph.constant(node.input[1])
        size = shape[int(axis)] if shape and axis is not None else None
        if shape and axis is not None and size is not None:
            _replace(graph, node, len(shape), int(axis) % len(shape), size)
            changed = True
    return changed


def _is_plain(node: Any) -> bool:
    return not (node.attr["exclusive"].b or node.attr["reverse"].b)


def _replace(graph: EditableGraph, node: Any, rank: int, axis: int, size: int) -> None:
    def compute(x: Any) -> Any:
        step = 1
        while step < size:
            begin, end = [0] * rank, [0] * rank
            end[axis] = size - step
            ends = tf.strided_slice(x, begin, end, end_mask=((1 << rank) - 1) ^ (1 << axis))
            paddings = [[step if place == axis else 0, 0] for place in range(rank)]
            x = x * tf.pad(ends, paddings, constant_values=1)
            step *= 2
        return x

    replace_node(graph, node, compute, {node.input[0]: node.attr["T"].type})
