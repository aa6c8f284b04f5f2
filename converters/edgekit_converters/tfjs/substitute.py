"""Ops that TF.js lacks, said in ops that it has."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_converters.tfjs.graph import EditableGraph


def substitute_ops(frozen: FrozenGraph) -> FrozenGraph:
    """Return the graph without Erfc, which Keras makes of gelu: erfc(x) = 1 - erf(x)."""
    graph = EditableGraph(frozen)
    for node in graph:
        if node.op == "Erfc":
            _erfc(graph, node)
    return graph.frozen()


def _erfc(graph: EditableGraph, node: Any) -> None:
    dtype = node.attr["T"].type
    one = np.ones((), tf.as_dtype(dtype).as_numpy_dtype)
    inputs = [
        graph.add_constant(f"{node.name}/one", one),
        graph.add("Erf", f"{node.name}/erf", list(node.input), T=dtype),
    ]
    node.op = "Sub"
    graph.set_inputs(node, inputs)
