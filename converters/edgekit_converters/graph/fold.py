"""Constant folding: what depends on constants only is computed once, here.

TensorFlow computes the values; which nodes are folded is decided here.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tensorflow.python.framework import op_def_registry

from edgekit_converters.graph.edit import EditableGraph, node_of, output_tensor
from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_runtimes.errors import ConversionError, map_exceptions

# A node that makes more than its inputs hold (Fill, Tile, BroadcastTo, Range, …) is folded up to
# this many elements: beyond it the file grows, and the node is cheap to run where the model runs.
MAX_GROWN_ELEMENTS = 4096


def fold_constants(frozen: FrozenGraph) -> FrozenGraph:
    """Return the graph with its constant parts computed, Identity nodes and dead nodes removed."""
    graph = EditableGraph(frozen)
    graph.forward()
    with map_exceptions("The constants of the graph could not be computed", ConversionError):
        _fold(graph)
    graph.sweep()
    return graph.frozen()


def _fold(graph: EditableGraph) -> None:
    imported = tf.Graph()
    with imported.as_default():
        tf.graph_util.import_graph_def(_constant_part(graph), name="")
    constant: set[str] = set()
    folded = []
    # Operations come in the order in which they can be run.
    for operation in imported.get_operations():
        is_const = operation.type == "Const"
        if is_const or _is_worth_folding(operation, constant):
            constant.add(operation.name)
            folded.extend([] if is_const else [operation])
    needed = {
        output_tensor(operation.name, index): tensor
        for operation in folded
        for index, tensor in enumerate(operation.outputs)
        if _is_needed(graph, output_tensor(operation.name, index), constant)
    }
    if not needed:
        return
    with tf.compat.v1.Session(graph=imported) as session:
        values = session.run(needed)
    for tensor, value in values.items():
        graph.replace(tensor, graph.add_constant(f"{node_of(tensor)}/folded", value))


def _constant_part(graph: EditableGraph) -> Any:
    """Return a GraphDef of the nodes that depend on constants only, without unused weights."""
    constant = {node.name for node in graph if node.op == "Const"}
    part: dict[str, Any] = {}
    grows = True
    while grows:
        grows = False
        for node in graph:
            if node.name not in constant and _is_pure(node):
                sources = [node_of(name) for name in node.input]
                if sources and constant.issuperset(sources):
                    constant.add(node.name)
                    part.update((name, graph.node(name)) for name in (*sources, node.name))
                    grows = True
    return tf.compat.v1.GraphDef(node=part.values(), versions=graph.versions)


def _is_pure(node: Any) -> bool:
    op_def = op_def_registry.get(node.op)
    return (
        op_def is not None
        and not op_def.is_stateful
        and not any(attribute.type in ("func", "list(func)") for attribute in op_def.attr)
    )


def _is_worth_folding(operation: Any, constant: set[str]) -> bool:
    if any(tensor.op.name not in constant for tensor in operation.inputs):
        return False
    for tensor in operation.outputs:
        is_plain = tensor.dtype.is_floating or tensor.dtype.is_integer or tensor.dtype.is_bool
        if not is_plain or not tensor.shape.is_fully_defined():
            return False
    made = sum(tensor.shape.num_elements() for tensor in operation.outputs)
    read = sum(tensor.shape.num_elements() or 0 for tensor in operation.inputs)
    return bool(made <= max(read, MAX_GROWN_ELEMENTS))


def _is_needed(graph: EditableGraph, tensor: str, constant: set[str]) -> bool:
    users = graph.users(tensor)
    return graph.is_output(tensor) or any(user.name not in constant for user in users)
