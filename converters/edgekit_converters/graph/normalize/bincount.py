"""DenseBincount: how often each integer occurs in a row. Keras's CategoryEncoding makes it.

TFLite has no such op; a one-hot code and a sum do the same. The number of bins must be known: Keras
computes it as min(max(largest + 1, bins), bins), which is `bins` whatever the largest is.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import replace_node


def rewrite(graph: EditableGraph) -> bool:
    """Replace each DenseBincount whose number of bins is known."""
    changed = False
    for node in graph:
        bins = _bins(graph, node.input[1]) if node.op == "DenseBincount" else None
        weights = graph.constant(node.input[2]) if bins is not None else None
        if weights is not None and weights.size == 0:
            _replace(graph, node, bins)
            changed = True
    return changed


def _bins(graph: EditableGraph, tensor: str) -> int | None:
    value = graph.constant(tensor)
    if value is not None:
        return int(value)
    node = graph.node(tensor)
    if node.op not in ("Minimum", "Maximum"):
        return None
    for first, second in (node.input, reversed(node.input)):
        limit, other = graph.constant(first), _bound(graph, second, node.op)
        if limit is not None and other is not None and limit == other:
            return int(limit)
    return None


def _bound(graph: EditableGraph, tensor: str, op: str) -> int | None:
    """Return the constant on the other side of Minimum(limit, Maximum(x, bound)), or None."""
    node = graph.node(tensor)
    if node.op != {"Minimum": "Maximum", "Maximum": "Minimum"}[op]:
        return None
    values = [graph.constant(name) for name in node.input]
    return next((int(value) for value in values if value is not None), None)


def _replace(graph: EditableGraph, node: Any, bins: int | None) -> None:
    dtype = tf.as_dtype(node.attr["T"].type)
    is_binary = node.attr["binary_output"].b

    def count(x: Any) -> Any:
        # Trap: int64 codes are beyond onnxruntime's OneHot.
        codes = tf.one_hot(tf.cast(x, tf.int32), bins, dtype=tf.float32)
        counted = (tf.reduce_max if is_binary else tf.reduce_sum)(codes, axis=-2)
        return tf.cast(counted, dtype)

    replace_node(graph, node, count, {node.input[0]: node.attr["Tidx"].type})
