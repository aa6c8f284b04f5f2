"""The inner tensors of a frozen graph, by TensorFlow: what an artifact's should be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_runtimes.errors import ConversionError, map_exceptions
from edgekit_runtimes.tensors import Array

# What a format may fuse into the node before it: its tensor is then named by the first of them, and
# holds what the last of them gives.
FUSED_BEHIND = frozenset(
    {"Add", "AddV2", "BiasAdd", "Sub", "Mul", "RealDiv", "FusedBatchNormV3", "Identity", "Cast"}
    | {"Relu", "Relu6", "Elu", "LeakyRelu", "Sigmoid", "Tanh", "Minimum", "Maximum", "Softplus"}
    | {"Reshape", "Squeeze", "ExpandDims"}
)
# A convolution with a bias, a norm and a hard swish has seven.
MOST_FUSED = 8
MOST_DIGITS = 3


class FrozenValues:
    """What the nodes of a frozen graph give for one set of inputs: float tensors, outputs 0."""

    def __init__(self, graph: FrozenGraph, inputs: Mapping[str, Array]) -> None:
        """Compute them. Raises ConversionError where TensorFlow cannot."""
        self._graph = EditableGraph(graph)
        self._signature = dict(self._graph.outputs)
        with map_exceptions("TensorFlow cannot run the frozen graph", ConversionError):
            self._values = _computed(graph, inputs)

    def name_of(self, node: str) -> str:
        """Return the node after which an artifact's tensor is named, as the frozen graph has it.

        An output keeps its name in the signature.
        """
        return next(filter(self._values.__contains__, _without_numbers(node)), node)

    def candidates(self, node: str) -> Iterator[Array]:
        """Yield what an artifact's tensor that is named after `node` may hold.

        node: a node's name, or the name of an output in the signature.
        """
        name: str | None = self._signature.get(node) or self.name_of(node)
        for _ in range(MOST_FUSED):
            if name is None:
                return
            if name in self._values:
                yield self._values[name]
            users = {user.name: user for user in self._graph.users(name)}
            behind = [user for user in users.values() if user.op in FUSED_BEHIND]
            name = behind[0].name if len(users) == 1 and behind else None


def _without_numbers(name: str) -> Iterator[str]:
    """Yield a name, then what it may have been before numbers at its end made it unique.

    TensorFlow's converter appends digits ("MatMul1"), edgekit's own appends "_18".
    """
    yield name
    for count in range(1, MOST_DIGITS + 1):
        if name[-count:].isdigit():
            yield name[:-count]
    yield re.sub(r"_\d+$", "", name)


def _computed(graph: FrozenGraph, inputs: Mapping[str, Array]) -> dict[str, Array]:
    def import_graph() -> None:
        tf.graph_util.import_graph_def(graph.graph_def, name="")

    wrapped = tf.compat.v1.wrap_function(import_graph, [])
    fetched = {
        operation.name: operation.outputs[0]
        for operation in wrapped.graph.get_operations()
        if _is_comparable(operation)
    }
    feeds = [wrapped.graph.as_graph_element(entry.tensor) for entry in graph.inputs]
    names = list(fetched)
    results = wrapped.prune(feeds, [fetched[name] for name in names])(
        *(tf.constant(inputs[entry.spec.name]) for entry in graph.inputs)
    )
    return {name: result.numpy() for name, result in zip(names, results, strict=True)}


def _is_comparable(operation: Any) -> bool:
    return (
        operation.type not in ("Const", "Placeholder")
        and len(operation.outputs) > 0
        and operation.outputs[0].dtype in (tf.float32, tf.float16)
    )
