"""Loops: weights that they carry become constants, and quantizing stays out of them."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any

import onnx

from edgekit_converters.onnx.graph import bodies, inputs_of, own_names, rename_reads

# A Loop has two inputs before its state (number of steps, condition), as its body does; the
# body's outputs start with one, the condition. https://onnx.ai/onnx/operators/onnx__Loop.html
LEADING_INPUTS = 2
LEADING_OUTPUTS = 1


def hoist_constants(graph: Any, around: AbstractSet[str] = frozenset()) -> None:
    """Take what no step changes out of the state of each Loop, where its first value is constant.

    TensorFlow hands the weights of a recurrent layer through its loop as state. As constants they
    can be quantized, and are not copied at each step.
    """
    constants = {*around, *(tensor.name for tensor in graph.initializer)}
    kept = {output.name for output in graph.output}
    for node in graph.node:
        if node.op_type == "Loop":
            _hoist_one(node, constants, kept, graph)
        for body in bodies(node):
            hoist_constants(body, constants)


def _hoist_one(loop: Any, constants: AbstractSet[str], kept: AbstractSet[str], graph: Any) -> None:
    body = next(bodies(loop))
    state_count = len(loop.input) - LEADING_INPUTS
    # From the last to the first, so that the places before stay where they are.
    for place in reversed(range(state_count)):
        first = loop.input[LEADING_INPUTS + place]
        inner = body.input[LEADING_INPUTS + place].name
        outcome = body.output[LEADING_OUTPUTS + place].name
        final = loop.output[place]
        others = [output.name for output in body.output if output.name != outcome]
        if first not in constants or final in kept or _source(body, outcome) != inner:
            continue
        if inner in others:
            # onnxruntime refuses a body that returns a tensor from outside as it is.
            continue
        del loop.input[LEADING_INPUTS + place]
        del loop.output[place]
        del body.input[LEADING_INPUTS + place]
        del body.output[LEADING_OUTPUTS + place]
        rename_reads(body, {inner: first})
        # An output that nothing reads has no name; neither does an input that is left out.
        rename_reads(graph, {final: first} if final else {})


def _float_results(graph: Any) -> set[str]:
    """Return the float tensors that a graph computes: a Sum takes nothing else, booleans least."""
    made = {name for node in graph.node for name in node.output if name}
    floats = {
        value.name
        for value in (*graph.value_info, *graph.output)
        if value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    }
    dequantized = (node.output[0] for node in graph.node if node.op_type == "DequantizeLinear")
    return made & {*floats, *dequantized}


def _source(graph: Any, name: str) -> str:
    """Return the name of a tensor of which `name` is only a copy."""
    copies = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Identity"}
    while name in copies:
        name = copies[name]
    return name


def shield_loops(graph: Any) -> None:
    """Let bodies read tensors that a quantized graph computes through a Sum of one tensor.

    onnxruntime (1.31, QDQPropagationTransformer) moves quantizing past a Reshape or Transpose to
    whatever reads it, takes a body's read for an input of the Loop, and aborts the process. It
    moves nothing past a Sum, and removes an Identity.
    """
    made = _float_results(graph)
    shields: dict[str, str] = {}
    for node in graph.node:
        for body in bodies(node):
            own = set(own_names(body))
            read = {name for inner in body.node for name in inputs_of(inner)} - own
            shields.update({name: f"{name}_shielded" for name in sorted(read & made)})
            rename_reads(body, shields)
    graph.node.extend(
        onnx.helper.make_node("Sum", [name], [shielded]) for name, shielded in shields.items()
    )
