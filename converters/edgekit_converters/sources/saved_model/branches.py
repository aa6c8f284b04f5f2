"""Branches whose condition is a constant: in graphs of TensorFlow 1, "is the model being trained?".

Batch norms and dropouts of that time have one each, with a placeholder for the condition, which is
False unless it is fed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import config_pb2
from tensorflow.python.grappler import tf_optimizer

BRANCHES = frozenset({"If", "StatelessIf"})
PASSING = frozenset({"Identity"})


def take_branches(graph_def: Any, kept: Sequence[str]) -> Any:
    """Return a graph without the branches that are never taken.

    kept: its inputs and outputs, tensors that stay as they are.
    """
    nodes = {node.name: node for node in graph_def.node}
    for node in graph_def.node:
        if node.op in BRANCHES and (condition := _constant(node.input[0], nodes)) is not None:
            _call(node, "then_branch" if condition.any() else "else_branch")
    if any(node.op == "Switch" for node in graph_def.node):
        return _without_switches(graph_def, kept)
    return graph_def


def _constant(tensor: str, nodes: Mapping[str, Any]) -> Any:
    """Return the value of a tensor that is a constant, perhaps passed on; else None."""
    node = nodes[tensor.partition(":")[0]]
    while node.op in PASSING:
        node = nodes[node.input[0].partition(":")[0]]
    return tf.make_ndarray(node.attr["value"].tensor) if node.op == "Const" else None


def _call(node: Any, branch: str) -> None:
    """Make a branch a call of one of its two functions."""
    node.op = "PartitionedCall"
    node.attr["f"].CopyFrom(node.attr[branch])
    for name in ("then_branch", "else_branch", "output_shapes", "Tcond"):
        node.attr.pop(name, None)
    del node.input[0]


def _without_switches(graph_def: Any, kept: Sequence[str]) -> Any:
    graph = tf.Graph()
    with graph.as_default():
        tf.graph_util.import_graph_def(graph_def, name="")
        meta_graph = tf.compat.v1.train.export_meta_graph(graph_def=graph_def, graph=graph)
    # What stands in this collection is fetched, and so it stays.
    meta_graph.collection_def["train_op"].node_list.value.extend(kept)
    config = config_pb2.ConfigProto()
    rewriting = config.graph_options.rewrite_options
    rewriting.optimizers.extend(("constfold", "loop", "dependency"))
    # Small graphs too.
    rewriting.min_graph_nodes = -1
    return tf_optimizer.OptimizeGraph(config, meta_graph)
