"""Arithmetic in float64, for which TFLite has few kernels: in float32, as everything around it.

`keras.ops.median` and `quantile` compute in float64 which places they read.
"""

from __future__ import annotations

from tensorflow.core.framework import types_pb2

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.half import compute_in_float32

DOUBLES = frozenset({types_pb2.DT_DOUBLE})


def rewrite(graph: EditableGraph) -> bool:
    """Let every node that computes in float64 compute in float32; inputs and outputs stay."""
    return compute_in_float32(graph, DOUBLES)
