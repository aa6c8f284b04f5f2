"""OneHot, which TF.js writes along the last axis only, and on wasm as other numbers than asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import replace_node
from edgekit_converters.graph.shapes import InputShapes

OP = "OneHot"


def rewrite(graph: EditableGraph, shapes: InputShapes) -> bool:
    """Let each OneHot compare its indices with the numbers of the classes."""
    changed = False
    for node in graph:
        if node.op != OP or node.name not in shapes:
            continue
        indices, axis = shapes[node.name][0], node.attr["axis"].i
        depth = graph.constant(node.input[1])
        if depth is not None and (axis == -1 or indices is not None):
            _replace(graph, node, int(depth), len(indices or ()) - axis if axis != -1 else 0)
            changed = True
    return changed


def _replace(graph: EditableGraph, node: Any, depth: int, behind: int) -> None:
    """behind: how many axes come after that of the classes."""
    names = list(dict.fromkeys([node.input[0], *node.input[2:4]]))
    places = [names.index(name) for name in (node.input[0], *node.input[2:4])]
    dtypes = dict.fromkeys(names, node.attr["T"].type) | {node.input[0]: node.attr["TI"].type}
    classes = np.arange(depth, dtype=np.int32).reshape(-1, *(1 for _ in range(behind)))

    def encode(*tensors: Any) -> Any:
        indices, on, off = (tensors[place] for place in places)
        is_class = tf.equal(tf.expand_dims(indices, -1 - behind), classes)
        return tf.where(is_class, on, off)

    replace_node(graph, node, encode, dtypes)
