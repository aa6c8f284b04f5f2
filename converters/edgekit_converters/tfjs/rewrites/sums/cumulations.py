"""Cumsum and Cumprod along an axis counted from the end: TF.js writes beyond its tensor."""

from __future__ import annotations

import numpy as np

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.shapes import InputShapes

OPS = ("Cumsum", "Cumprod")


def rewrite(graph: EditableGraph, shapes: InputShapes) -> bool:
    """Count the axis of each from the front."""
    changed = False
    for node in graph:
        if node.op not in OPS or node.name not in shapes:
            continue
        axis, shape = graph.constant(node.input[1]), shapes[node.name][0]
        if axis is not None and axis < 0 and shape is not None:
            counted = graph.add_constant(
                f"{node.name}/axis", np.asarray(axis + len(shape), np.int32)
            )
            graph.set_inputs(node, [node.input[0], counted])
            changed = True
    return changed
