"""Select and SelectV2, between rows and between booleans.

A vector of conditions of Select chooses rows: TF.js lets it choose columns, as SelectV2 does. On
wasm it chooses among booleans as if each took four bytes.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import replace_node
from edgekit_converters.graph.shapes import InputShapes

OPS = ("Select", "SelectV2")
BOOL = tf.bool.as_datatype_enum


def rewrite(graph: EditableGraph, shapes: InputShapes) -> bool:
    """Let each Select be a SelectV2 of numbers, and each choice of booleans be logic."""
    changed = False
    for node in graph:
        if node.op not in OPS or node.name not in shapes:
            continue
        condition, chosen, _ = shapes[node.name]
        if node.op == "SelectV2":
            if node.attr["T"].type != BOOL:
                continue
            _replace(graph, node, 0)
        elif condition is not None and chosen is not None:
            _replace(graph, node, len(chosen) - 1 if len(condition) == 1 else 0)
        else:
            continue
        changed = True
    return changed


def _replace(graph: EditableGraph, node: Any, axes: int) -> None:
    """axes: how many come after that of the conditions."""
    names = list(dict.fromkeys(node.input))
    places = [names.index(name) for name in node.input]
    dtypes = dict.fromkeys(names, node.attr["T"].type) | {node.input[0]: BOOL}

    def choose(*tensors: Any) -> Any:
        condition, first, second = (tensors[place] for place in places)
        if axes:
            condition = tf.reshape(condition, [-1, *(1 for _ in range(axes))])
        if first.dtype != tf.bool:
            return tf.where(condition, first, second)
        return (condition & first) | (~condition & second)

    replace_node(graph, node, choose, dtypes)
