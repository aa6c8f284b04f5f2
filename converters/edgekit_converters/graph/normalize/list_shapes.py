"""Lists of a loop whose elements have a free batch, in a graph whose batch is fixed.

A recurrent layer that was traced with a free batch (`model.export` does) keeps it in the constants
that say its lists' element shapes; TFLite wants them whole, and refuses the loop otherwise.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edgekit_converters.graph.edit import EditableGraph, constant_of, set_constant

# Op -> which of its inputs is the shape of an element.
SHAPE_INPUTS = {
    "TensorListReserve": 0,
    "EmptyTensorList": 0,
    "TensorListFromTensor": 1,
    "TensorListStack": 1,
    "TensorListGetItem": 2,
}


def rewrite(graph: EditableGraph) -> bool:
    """Put the batch of the inputs in the place of a free first axis of a list's elements."""
    batch = graph.batch()
    if batch is None:
        return False
    changed = False
    for node in graph:
        if node.op in SHAPE_INPUTS:
            shape = graph.node(node.input[SHAPE_INPUTS[node.op]])
            changed |= _fix(shape, batch)
    for function in graph.library.function:
        nodes = {node.name: node for node in function.node_def}
        for node in nodes.values():
            if node.op in SHAPE_INPUTS:
                name = node.input[SHAPE_INPUTS[node.op]].partition(":")[0]
                changed |= name in nodes and _fix(nodes[name], batch)
    if changed:
        for node in graph:
            # What is said of a loop's variables is of the free batch; TensorFlow infers it again.
            for shape in node.attr["output_shapes"].list.shape if node.op == "While" else ():
                if shape.dim and shape.dim[0].size == -1:
                    shape.dim[0].size = batch
    return changed


def _fix(node: Any, batch: int) -> bool:
    if node.op != "Const":
        return False
    shape = np.array(constant_of(node))
    if shape.ndim != 1 or shape.size < 2 or shape[0] != -1 or (shape[1:] < 0).any():
        return False
    shape[0] = batch
    set_constant(node, shape)
    return True
