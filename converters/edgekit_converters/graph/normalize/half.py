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
    if any(node.op == "Bitcast" and _is_half(node) for node in graph):
        # Bits mean something else in float32.
        return False
    inputs = set(graph.inputs.values())
    changed = False
    for node in graph:
        if node.name in inputs:
            continue
        if node.op == "Const" and node.attr["dtype"].type in HALVES:
            set_constant(node, constant_of(node).astype(np.float32))
            changed = True
            continue
        for value in node.attr.values():
            if value.HasField("type") and value.type in HALVES:
                value.type, changed = FLOAT, True
            elif value.HasField("list") and any(kind in HALVES for kind in value.list.type):
                kinds = [FLOAT if kind in HALVES else kind for kind in value.list.type]
                value.list.type[:] = kinds
                changed = True
    if changed:
        _keep_interface(graph)
    return changed


def _is_half(node: Any) -> bool:
    return any(value.type in HALVES for value in node.attr.values())


def _keep_interface(graph: EditableGraph) -> None:
    """Cast half-precision inputs to float32, and outputs that were half-precision back."""
    for name in graph.inputs.values():
        dtype = graph.node(name).attr["dtype"].type
        if dtype in HALVES:
            cast = graph.add("Cast", f"{name}/float", [], SrcT=dtype, DstT=FLOAT)
            graph.replace(name, cast)
            graph.set_inputs(graph.node(cast), [name])
    for name, dtype in graph.output_dtypes().items():
        if dtype in HALVES:
            tensor = graph.outputs[name]
            graph.outputs[name] = graph.add(
                "Cast", f"{name}/half", [tensor], SrcT=FLOAT, DstT=dtype
            )
