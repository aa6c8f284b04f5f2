"""Undo the fusing of TF.js's operators, so that TensorFlow has all of them."""

from __future__ import annotations

from typing import Any

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_converters.graph.library import give_new_names
from edgekit_converters.tfjs.fuse import FUSED_OPS
from edgekit_runtimes.errors import SourceError

_PLAIN_OPS = {fused: plain for plain, fused in FUSED_OPS.items()}
_FUSED_ATTRIBUTES = ("fused_ops", "num_args", "leakyrelu_alpha", "epsilon", "TArgs", "_exact_bias")
# What takes the result of the convolution and nothing else.
_ACTIVATIONS = frozenset({"Elu", "LeakyRelu", "Relu", "Relu6", "Sigmoid", "Tanh"})
PRELU = "Prelu"


def unfuse(frozen: FrozenGraph) -> FrozenGraph:
    """Return the graph with every fused operator as a plain one and what was fused into it.

    Raises SourceError where one fuses something else.
    """
    graph = EditableGraph(frozen)
    for node in graph:
        if node.op in _PLAIN_OPS:
            _unfuse_node(graph, node)
    for node in graph:
        if node.op == PRELU:
            _replace_prelu(graph, node)
    plain = graph.frozen()
    give_new_names(plain.graph_def)
    return plain


def _unfuse_node(graph: EditableGraph, node: Any) -> None:
    steps = [step.decode() for step in node.attr["fused_ops"].list.s]
    data, kernel, *rest = node.input
    dtype = node.attr["T"].type
    tail = str(node.name)
    added = []
    for step in steps:
        if step == "BiasAdd" and rest:
            tail = graph.add(step, f"{node.name}/{step}", [tail, rest.pop(0)], T=dtype)
            if "data_format" in node.attr:
                graph.node(tail).attr["data_format"].CopyFrom(node.attr["data_format"])
        elif step == PRELU and rest:
            tail = graph.add(step, f"{node.name}/{step}", [tail, rest.pop(0)], T=dtype)
        elif step in _ACTIVATIONS:
            tail = graph.add(step, f"{node.name}/{step}", [tail], T=dtype)
            if step == "LeakyRelu":
                graph.node(tail).attr["alpha"].f = node.attr["leakyrelu_alpha"].f
        else:
            raise SourceError(
                f"'{node.name}' ({node.op}) fuses {', '.join(steps)}, which edgekit does not read."
            )
        added.append(tail)
    if added:
        first, inputs = graph.node(added[0]), list(graph.node(added[0]).input)
        graph.replace(node.name, tail)
        graph.set_inputs(first, [node.name, *inputs[1:]])
    graph.set_inputs(node, [data, kernel])
    node.op = _PLAIN_OPS[node.op]
    for name in _FUSED_ATTRIBUTES:
        node.attr.pop(name, None)


def _replace_prelu(graph: EditableGraph, node: Any) -> None:
    """Write a Prelu as Keras does: relu(x) - alpha * relu(-x), of which TFLite makes one again."""
    data, alpha = node.input
    dtype = node.attr["T"].type

    def add(op: str, *inputs: str) -> str:
        return graph.add(op, f"{node.name}/{op}", inputs, T=dtype)

    below = add("Mul", add("Neg", alpha), add("Relu", add("Neg", data)))
    graph.bypass(node, add("AddV2", add("Relu", data), below))
