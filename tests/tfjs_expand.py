"""Undo the fusing, so that TensorFlow can run a graph that was written for TF.js."""

from __future__ import annotations

from typing import Any

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_converters.graph.library import give_new_names
from edgekit_converters.tfjs.fuse import FUSED_OPS
from edgekit_runtimes.errors import ArtifactError

_PLAIN_OPS = {fused: plain for plain, fused in FUSED_OPS.items()}
_FUSED_ATTRIBUTES = ("fused_ops", "num_args", "leakyrelu_alpha")


def expand(frozen: FrozenGraph) -> FrozenGraph:
    """Return the graph with every fused op as a plain one, a BiasAdd and an activation.

    Raises ArtifactError where an op fuses something else.
    """
    graph = EditableGraph(frozen)
    for node in graph:
        if node.op in _PLAIN_OPS:
            _expand_node(graph, node)
    expanded = graph.frozen()
    give_new_names(expanded.graph_def)
    return expanded


def _expand_node(graph: EditableGraph, node: Any) -> None:
    steps = [step.decode() for step in node.attr["fused_ops"].list.s]
    inputs = list(node.input)
    if steps[:1] != ["BiasAdd"] or len(steps) > 2 or len(inputs) != 3:
        raise ArtifactError(f"'{node.name}' fuses {steps}, which edgekit does not read")
    dtype = node.attr["T"].type
    bias_add = graph.add("BiasAdd", f"{node.name}/BiasAdd", [], T=dtype)
    tail = bias_add
    if len(steps) == 2:
        tail = graph.add(steps[1], f"{node.name}/{steps[1]}", [bias_add], T=dtype)
        if steps[1] == "LeakyRelu":
            graph.node(tail).attr["alpha"].f = node.attr["leakyrelu_alpha"].f
    graph.replace(node.name, tail)
    graph.set_inputs(graph.node(bias_add), [node.name, inputs[2]])
    graph.set_inputs(node, inputs[:2])
    node.op = _PLAIN_OPS[node.op]
    for name in _FUSED_ATTRIBUTES:
        node.attr.pop(name, None)
