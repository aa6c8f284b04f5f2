"""Half-precision arithmetic, as the policies mixed_float16 and mixed_bfloat16 of Keras leave it.

TFLite has no kernels for it, and on a CPU it is slower than float32: the graph computes in float32.
Inputs and outputs keep their type.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from tensorflow.core.framework import types_pb2

from edgekit_converters.graph.edit import EditableGraph, constant_of, set_constant
from edgekit_converters.graph.frozen import FrozenGraph

HALVES = frozenset({types_pb2.DT_HALF, types_pb2.DT_BFLOAT16})
FLOAT = types_pb2.DT_FLOAT


def computes_in_half(frozen: FrozenGraph) -> bool:
    """Return whether a node that computes gives half precision."""
    return any(
        value.type in HALVES
        for node in frozen.graph_def.node
        if node.op not in ("Const", "Placeholder", "Cast")
        for value in node.attr.values()
    )


def rewrite(graph: EditableGraph) -> bool:
    """Let every node that computes in half precision compute in float32."""
    return compute_in_float32(graph, HALVES)


def compute_in_float32(graph: EditableGraph, others: frozenset[int]) -> bool:
    """Let every node that computes in one of these number types compute in float32."""
    if any(node.op == "Bitcast" and _has_type(node, others) for node in graph):
        # Bits mean something else in float32.
        return False
    inputs = set(graph.inputs.values())
    changed = False
    for node in graph:
        if node.name in inputs:
            continue
        if node.op == "Const" and node.attr["dtype"].type in others:
            set_constant(node, constant_of(node).astype(np.float32))
            changed = True
            continue
        for value in node.attr.values():
            if value.HasField("type") and value.type in others:
                value.type, changed = FLOAT, True
            elif value.HasField("list") and any(kind in others for kind in value.list.type):
                kinds = [FLOAT if kind in others else kind for kind in value.list.type]
                value.list.type[:] = kinds
                changed = True
    if changed:
        _keep_interface(graph, others)
    return changed


def _has_type(node: Any, dtypes: frozenset[int]) -> bool:
    return any(value.type in dtypes for value in node.attr.values())


def _keep_interface(graph: EditableGraph, others: frozenset[int]) -> None:
    """Cast the inputs of these types to float32, and the outputs that were of them back."""
    for name in graph.inputs.values():
        dtype = graph.node(name).attr["dtype"].type
        if dtype in others:
            cast = graph.add("Cast", f"{name}/float", [], SrcT=dtype, DstT=FLOAT)
            graph.replace(name, cast)
            graph.set_inputs(graph.node(cast), [name])
    for name, dtype in graph.output_dtypes().items():
        if dtype in others:
            tensor = graph.outputs[name]
            graph.outputs[name] = graph.add(
                "Cast", f"{name}/cast", [tensor], SrcT=FLOAT, DstT=dtype
            )
