"""Putting a few nodes, as TensorFlow writes them, in the place of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from edgekit_converters.graph.edit import FORWARDING_OPS, EditableGraph, node_of
from edgekit_runtimes.tensors import Array


def replace_node(
    graph: EditableGraph, node: Any, compute: Callable[..., Any], inputs: Mapping[str, int]
) -> None:
    """Let `compute` stand for `node`, whose first output is read by others.

    compute: gets a tensor for each of `inputs` and returns one. inputs: the tensors that are read,
    with their dtypes.
    """
    with tf.Graph().as_default() as part:
        tensors = [
            tf.compat.v1.placeholder(tf.as_dtype(dtype), name=f"input_{number}")
            for number, dtype in enumerate(inputs.values())
        ]
        tf.identity(compute(*tensors), name="result")
    feeds = {f"input_{number}": name for number, name in enumerate(inputs)}
    names: dict[str, str] = {}

    def renamed(tensor: str) -> str:
        name, colon, index = tensor.partition(":")
        return feeds.get(name) or f"{names[name]}{colon}{index}"

    for source in part.as_graph_def().node:
        if source.op != "Placeholder":
            added = graph.add(
                source.op, f"{node.name}/{source.name}", [renamed(x) for x in source.input]
            )
            names[source.name] = node_of(added)
            for key, value in source.attr.items():
                graph.node(added).attr[key].CopyFrom(value)
    graph.replace(node.name, names["result"])


def constant_behind(graph: EditableGraph, tensor: str) -> Array | None:
    """Return the value of a constant that reaches `tensor` through Identity nodes, else None."""
    node = graph.node(tensor)
    while node.op in FORWARDING_OPS and ":" not in tensor:
        tensor = node.input[0]
        node = graph.node(tensor)
    return graph.constant(tensor)
