"""What a traced model does besides answering: variables that it writes, tables that it reads.

Writes that only serve training (the seeds of dropout) vanish; a lookup table of integers becomes
constants. Freezing knows neither: it takes every resource for a variable that is only read.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import _run_inline_graph_optimization

from edgekit_converters.graph.library import all_nodes, give_new_names
from edgekit_converters.graph.tables import TABLE_OPS, read_resource, replace_tables
from edgekit_runtimes.errors import SourceError

WRITING_OPS = frozenset({"AssignVariableOp", "AssignAddVariableOp", "AssignSubVariableOp"})
LOOP_OPS = frozenset({"While", "StatelessWhile"})


def without_effects(function: Any) -> Any:
    """Return a ConcreteFunction that answers as `function` does and writes nothing.

    A function that has no such effects is returned as it is. Raises SourceError where an answer
    depends on what a call before it has written.
    """
    graph_def = function.graph.as_graph_def()
    if not any(node.op in WRITING_OPS | TABLE_OPS for node in all_nodes(graph_def)):
        return function
    graph_def = _run_inline_graph_optimization(function, False, False)
    written = _drop_writes(graph_def)
    captures = {
        placeholder.op.name: functools.partial(read_resource, tensor)
        for tensor, placeholder in function.graph.captures
        if placeholder.dtype == tf.resource
    }
    replace_tables(graph_def, captures)
    outputs = [tensor.name for tensor in function.outputs]
    states = written & _needed(graph_def, outputs)
    if states:
        raise SourceError(_is_stateful(states))
    return _rebuilt(function, graph_def)


def _drop_writes(graph_def: Any) -> set[str]:
    """Remove the nodes that write variables; return the placeholders of these variables."""
    written = set(_written(graph_def.node))
    bodies = {function.signature.name: function for function in graph_def.library.function}
    for node in graph_def.node:
        if node.op in LOOP_OPS:
            body = bodies[node.attr["body"].func.name]
            arguments = [argument.name for argument in body.signature.input_arg]
            for name in _written(body.node_def):
                if name in arguments:
                    written.add(node.input[arguments.index(name)])
    _remove(graph_def.node)
    for function in graph_def.library.function:
        _remove(function.node_def)
        for key, name in list(function.control_ret.items()):
            if name not in {node.name for node in function.node_def}:
                del function.control_ret[key]
                function.signature.control_output.remove(key)
    return written


def _written(nodes: Any) -> Iterator[str]:
    """Yield the names of the variables that nodes write."""
    for node in nodes:
        if node.op in WRITING_OPS:
            yield node.input[0].partition(":")[0]


def _remove(nodes: Any) -> None:
    gone = {f"^{node.name}" for node in nodes if node.op in WRITING_OPS}
    kept = [node for node in nodes if node.op not in WRITING_OPS]
    for node in kept:
        node.input[:] = [name for name in node.input if name not in gone]
    copies = [type(node).FromString(node.SerializeToString()) for node in kept]
    del nodes[:]
    nodes.extend(copies)


def _needed(graph_def: Any, outputs: list[str]) -> set[str]:
    """Return the nodes that outputs are computed from."""
    nodes = {node.name: node for node in graph_def.node}
    pending, needed = list(outputs), set[str]()
    while pending:
        name = pending.pop().partition(":")[0]
        if name in nodes and name not in needed:
            needed.add(name)
            pending += [source for source in nodes[name].input if not source.startswith("^")]
    return needed


def _is_stateful(states: set[str]) -> str:
    # As in "functional_1/lstm_1/lstm_cell/ReadVariableOp/resource": the model, the layer, the rest.
    layers = sorted({"/".join(name.split("/")[1:2]) or name for name in states})
    return (
        f"The model keeps a state from one call to the next ({', '.join(layers)}), and an artifact "
        "answers each call for itself. Export it with the state as an input and an output: "
        "LSTM(…, return_state=True) called with initial_state, instead of stateful=True."
    )


def _rebuilt(function: Any, graph_def: Any) -> Any:
    """Return a graph as a ConcreteFunction with the inputs, outputs and variables of another."""
    give_new_names(graph_def)

    def import_graph() -> None:
        graph = tf.compat.v1.get_default_graph()
        captures: Mapping[str, Any] = {
            placeholder.name: graph.capture(tensor)
            for tensor, placeholder in function.graph.captures
        }
        present = {f"{node.name}:0" for node in graph_def.node}
        known = {name: tensor for name, tensor in captures.items() if name in present}
        tf.graph_util.import_graph_def(graph_def, input_map=known, name="")

    wrapped = tf.compat.v1.wrap_function(import_graph, [])
    graph = wrapped.graph
    # Trap: what is not named here is a resource like any other, and is not frozen.
    graph.variables = function.graph.variables
    captured = {placeholder.name for _, placeholder in function.graph.captures}
    return wrapped.prune(
        [graph.as_graph_element(x.name) for x in function.inputs if x.name not in captured],
        {
            name: graph.as_graph_element(tensor.name)
            for name, tensor in _structured(function).items()
        },
    )


def _structured(function: Any) -> dict[str, Any]:
    """Return the outputs of a ConcreteFunction by name."""
    return dict(zip(sorted(function.structured_outputs), function.outputs, strict=True))
