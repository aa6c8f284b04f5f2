"""`keras.ops.argmax` and `argmin` of Keras 3: a -0.0 becomes the least float below zero first.

keras/src/backend/tensorflow/numpy.py does so with Bitcast and BitwiseAnd (of the sign bit), ops
that no format has:

    SelectV2(LogicalAnd(Equal(x, 0), Less(BitwiseAnd(Bitcast(x), bit), 0)), tiny, x)

x itself does the same, except that of a 0.0 and a -0.0 the first one wins, as in NumPy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from edgekit_converters.graph.edit import EditableGraph

# Keras takes the smallest normal number of the dtype; float16's is the largest of them.
LARGEST_TINY = 6.2e-5


def rewrite(graph: EditableGraph) -> bool:
    """Let what reads such a selection read x."""
    found = [node for node in graph if _is_selection(graph, node)]
    for node in found:
        graph.bypass(node, node.input[2])
    return bool(found)


def _is_selection(graph: EditableGraph, node: Any) -> bool:
    if node.op not in ("SelectV2", "Select"):
        return False
    tiny = graph.constant(node.input[1])
    if tiny is None or np.abs(tiny.astype(np.float32)).max() > LARGEST_TINY:
        return False
    condition, x = graph.node(node.input[0]), node.input[2]
    masks = [above for above in _above(graph, condition) if above.op == "BitwiseAnd"]
    return any(graph.node(mask.input[0]).op == "Bitcast" for mask in masks) and any(
        above.op == "Equal" and x in above.input for above in _above(graph, condition)
    )


def _above(graph: EditableGraph, node: Any) -> Iterator[Any]:
    """Yield a node and, through comparisons, those that it is computed from."""
    yield node
    if node.op in ("LogicalAnd", "Less", "NotEqual"):
        for name in node.input:
            yield from _above(graph, graph.node(name))
