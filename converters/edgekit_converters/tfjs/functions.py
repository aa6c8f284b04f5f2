"""Loops and branches: their functions, as the TF.js loader (4.22.0) can read and run them.

The loader keeps the constants of all functions in one table by node name, takes control inputs
for data, misspells "If" among its control-flow ops, and at the end of a function frees every
tensor that the function does not return, those in a TensorList too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.framework import op_def_registry

from edgekit_converters.graph.edit import set_constant
from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_converters.graph.library import all_nodes, calls
from edgekit_runtimes.errors import ConversionError

_STATELESS = {"While": "StatelessWhile", "If": "StatelessIf"}
# The ops that put a tensor into a TensorList, and which of their inputs it is.
_ITEM_INPUT = {"TensorListSetItem": 2, "TensorListPushBack": 1}


def prepare_functions(frozen: FrozenGraph) -> FrozenGraph:
    """Return the graph with a library that TF.js reads: only what is used, every node name unique.

    Raises ConversionError where a loop needs something that the loader cannot do.
    """
    graph_def = tf.compat.v1.GraphDef()
    graph_def.CopyFrom(frozen.graph_def)
    _drop_unused(graph_def)
    for function in graph_def.library.function:
        _sweep(function)
        _check_outputs(function)
        _prefix(function)
    for node in all_nodes(graph_def):
        node.op = _STATELESS.get(node.op, node.op)
    _keep_list_items(graph_def)
    return replace(frozen, graph_def=graph_def)


def _drop_unused(graph_def: Any) -> None:
    bodies = {function.signature.name: function for function in graph_def.library.function}
    pending, used = list(graph_def.node), dict[str, Any]()
    while pending:
        for call in calls([pending.pop()]):
            if call.name not in used:
                used[call.name] = bodies[call.name]
                pending.extend(bodies[call.name].node_def)
    kept = list(used.values())
    graph_def.ClearField("library")
    graph_def.library.function.extend(kept)


def _sweep(function: Any) -> None:
    """Remove control dependencies and what no result needs."""
    nodes = {node.name: node for node in function.node_def}
    for node in nodes.values():
        node.input[:] = [name for name in node.input if not name.startswith("^")]
    pending, alive = list(function.ret.values()), set[str]()
    while pending:
        name = pending.pop().partition(":")[0]
        if name in nodes and name not in alive:
            alive.add(name)
            pending.extend(nodes[name].input)
    kept = [node for name, node in nodes.items() if name in alive]
    function.ClearField("control_ret")
    function.signature.ClearField("control_output")
    function.ClearField("node_def")
    function.node_def.extend(kept)


def _check_outputs(function: Any) -> None:
    """Inside functions outputs have names, and the loader takes each for the first one."""
    ops = {node.name: node.op for node in function.node_def}
    read = [name for node in function.node_def for name in node.input]
    for name in (*read, *function.ret.values()):
        node, *output = name.split(":")
        op_def = op_def_registry.get(ops[node]) if node in ops else None
        if op_def and output[0] != op_def.output_arg[0].name:
            raise ConversionError(
                f"TF.js cannot read '{output[0]}' of {ops[node]} inside a loop or a branch, only "
                f"'{op_def.output_arg[0].name}'. Move {ops[node]} out of the loop, or write the "
                "other formats: --to tflite,onnx"
            )


def _prefix(function: Any) -> None:
    prefix, names = function.signature.name, {node.name for node in function.node_def}

    def renamed(tensor: str) -> str:
        return f"{prefix}/{tensor}" if tensor.partition(":")[0] in names else tensor

    for node in function.node_def:
        node.name = renamed(node.name)
        node.input[:] = [renamed(name) for name in node.input]
    # Trap: a map must not be edited while it is iterated over.
    for name, tensor in list(function.ret.items()):
        function.ret[name] = renamed(tensor)


def _keep_list_items(graph_def: Any) -> None:
    """Make every loop body return what it writes into a TensorList, so that it is not freed."""
    functions = {function.signature.name: function for function in graph_def.library.function}
    kept = set()
    for loop in [node for node in graph_def.node if node.op == "StatelessWhile"]:
        body = functions[loop.attr["body"].func.name]
        cond = functions[loop.attr["cond"].func.name]
        kept.add(body.signature.name)
        writers = [node for node in body.node_def if node.op in _ITEM_INPUT]
        for number, writer in enumerate(writers):
            _return_item(graph_def, loop, (body, cond), writer, f"kept_{number}")
    for name, function in functions.items():
        if name not in kept and any(node.op in _ITEM_INPUT for node in function.node_def):
            raise ConversionError(
                "TF.js cannot collect the steps of a loop that is inside another loop or a "
                "branch. Write the other formats: --to tflite,onnx"
            )


def _return_item(graph_def: Any, loop: Any, functions: Any, writer: Any, name: str) -> None:
    """Add a loop variable: what `writer` wrote last. functions: the body and the condition."""
    dtype, position = writer.attr["element_dtype"].type, _ITEM_INPUT[writer.op]
    body = functions[0]
    item = body.node_def.add(name=f"{body.signature.name}/{name}", op="Identity")
    item.input.append(writer.input[position])
    item.attr["T"].type = dtype
    writer.input[position] = f"{item.name}:output:0"
    for function in functions:
        function.signature.input_arg.add(name=name, type=dtype)
    body.signature.output_arg.add(name=f"{name}_out", type=dtype)
    body.ret[f"{name}_out"] = writer.input[position]

    start = graph_def.node.add(name=f"{loop.name}/{name}", op="Const")
    set_constant(start, np.zeros((), tf.as_dtype(dtype).as_numpy_dtype))
    loop.input.append(start.name)
    loop.attr["T"].list.type.append(dtype)
    loop.attr["output_shapes"].list.shape.add(unknown_rank=True)
