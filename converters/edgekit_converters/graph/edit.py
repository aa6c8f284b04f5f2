"""A graph being edited: nodes by name, and what uses which tensor.

Tensors are named as the inputs of nodes name them: "conv" is output 0 of node "conv", "split:1"
is output 1 of "split".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf

from edgekit_converters.graph.frozen import FrozenGraph, GraphTensor
from edgekit_runtimes.tensors import Array

# Each passes its inputs on as they are: in a frozen graph nothing is trained.
FORWARDING_OPS = frozenset(
    {"Identity", "IdentityN", "StopGradient", "PreventGradient", "Snapshot", "CheckNumerics"}
)


def node_of(tensor: str) -> str:
    """Return the name of the node that makes `tensor`."""
    return tensor.partition(":")[0]


def output_tensor(node: str, index: int) -> str:
    """Return the name of output number `index` of a node."""
    return f"{node}:{index}" if index else node


class EditableGraph:
    """The nodes of a frozen graph, without control dependencies, open for editing.

    inputs, outputs: tensor by name in the signature.
    """

    def __init__(self, frozen: FrozenGraph) -> None:
        self._frozen = frozen
        self.library = tf.compat.v1.GraphDef(library=frozen.graph_def.library).library
        self.inputs = {entry.spec.name: entry.node for entry in frozen.inputs}
        self.outputs = {
            entry.spec.name: entry.tensor.removesuffix(":0") for entry in frozen.outputs
        }
        self._nodes: dict[str, Any] = {}
        self._users: dict[str, list[str]] = {}
        for source in frozen.graph_def.node:
            node = tf.compat.v1.NodeDef()
            node.CopyFrom(source)
            names = [name.removesuffix(":0") for name in node.input if not name.startswith("^")]
            self._insert(node, names)

    @property
    def versions(self) -> Any:
        """The versions of the GraphDef."""
        return self._frozen.graph_def.versions

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the nodes; they may be edited meanwhile."""
        return iter(list(self._nodes.values()))

    def node(self, tensor: str) -> Any:
        """Return the node that makes `tensor`."""
        return self._nodes[node_of(tensor)]

    def constant(self, tensor: str) -> Array | None:
        """Return the value of `tensor` where it is a Const, else None."""
        node = self.node(tensor)
        return constant_of(node) if node.op == "Const" else None

    def output_dtypes(self) -> dict[str, int]:
        """Return the dtypes of the outputs as the signature has them, by name."""
        return {
            entry.spec.name: tf.as_dtype(entry.spec.dtype).as_datatype_enum
            for entry in self._frozen.outputs
        }

    def batch(self) -> int | None:
        """Return the size of the first axis of every input; None where it is free or differs."""
        sizes = {entry.spec.shape[0] for entry in self._frozen.inputs if entry.spec.shape}
        return sizes.pop() if len(sizes) == 1 else None

    def users(self, tensor: str) -> list[Any]:
        """Return the nodes that read `tensor`; one that reads it twice comes twice."""
        return [self._nodes[name] for name in self._users.get(tensor, [])]

    def is_output(self, tensor: str) -> bool:
        """Return whether `tensor` is an output of the graph."""
        return tensor in self.outputs.values()

    def only_user(self, tensor: str) -> Any | None:
        """Return the node that reads `tensor` where nothing else needs it, else None."""
        users = self.users(tensor)
        return users[0] if len(users) == 1 and not self.is_output(tensor) else None

    def add(self, op: str, name: str, inputs: Sequence[str], **types: int) -> str:
        """Add a node and return its name, made unique. types: its dtype attributes."""
        node = tf.compat.v1.NodeDef(op=op, name=self._free_name(name))
        for key, value in types.items():
            node.attr[key].type = value
        self._insert(node, inputs)
        return str(node.name)

    def add_constant(self, name: str, value: Array) -> str:
        """Add a Const and return its name, made unique."""
        added = self.add("Const", name, [])
        set_constant(self._nodes[added], value)
        return added

    def set_inputs(self, node: Any, inputs: Sequence[str]) -> None:
        """Make `node` read `inputs` instead of what it read."""
        self._forget_inputs(node)
        self._insert(node, inputs)

    def replace(self, old: str, new: str) -> None:
        """Make everything that uses the tensor `old` use `new`."""
        for user in self._users.pop(old, []):
            node = self._nodes[user]
            for position, name in enumerate(node.input):
                if name == old:
                    node.input[position] = new
            self._users.setdefault(new, []).append(user)
        self.outputs = {
            name: new if tensor == old else tensor for name, tensor in self.outputs.items()
        }

    def bypass(self, node: Any, tensor: str) -> None:
        """Remove `node` and let what used its first output use `tensor`."""
        self.replace(node.name, tensor)
        self._forget_inputs(self._nodes.pop(node.name))

    def forward(self) -> None:
        """Take out the nodes that only pass their inputs on."""
        for node in self:
            is_void_cast = node.op == "Cast" and node.attr["SrcT"].type == node.attr["DstT"].type
            if node.op in FORWARDING_OPS or is_void_cast:
                for index, name in enumerate(list(node.input)):
                    self.replace(output_tensor(node.name, index), name)
        self.sweep()

    def sweep(self) -> None:
        """Remove what no output needs. The inputs of the graph stay, used or not."""
        pending = [*self.outputs.values(), *self.inputs.values()]
        alive: set[str] = set()
        while pending:
            name = node_of(pending.pop())
            if name not in alive:
                alive.add(name)
                pending.extend(self._nodes[name].input)
        for name in [name for name in self._nodes if name not in alive]:
            self._forget_inputs(self._nodes.pop(name))

    def frozen(self) -> FrozenGraph:
        """Return the graph as it is now."""
        graph_def = tf.compat.v1.GraphDef(
            node=self._nodes.values(), library=self.library, versions=self.versions
        )
        return FrozenGraph(
            graph_def=graph_def,
            inputs=tuple(self._entry(entry, self.inputs) for entry in self._frozen.inputs),
            outputs=tuple(self._entry(entry, self.outputs) for entry in self._frozen.outputs),
            half=self._frozen.half,
        )

    @staticmethod
    def _entry(entry: GraphTensor, tensors: dict[str, str]) -> GraphTensor:
        tensor = tensors[entry.spec.name]
        return replace(entry, tensor=tensor if ":" in tensor else f"{tensor}:0")

    def _insert(self, node: Any, inputs: Sequence[str]) -> None:
        node.ClearField("input")
        node.input.extend(inputs)
        self._nodes[node.name] = node
        for name in inputs:
            self._users.setdefault(name, []).append(node.name)

    def _forget_inputs(self, node: Any) -> None:
        for name in node.input:
            self._users[name].remove(node.name)

    def _free_name(self, name: str) -> str:
        number, free = 0, name
        while free in self._nodes:
            number += 1
            free = f"{name}_{number}"
        return free


def constant_of(node: Any) -> Array:
    """Return the value of a Const node."""
    value: Array = tf.make_ndarray(node.attr["value"].tensor)
    return value


def set_constant(node: Any, value: Array) -> None:
    """Make `value` the value of a Const node."""
    tensor = tf.make_tensor_proto(np.asarray(value, order="C"))
    node.attr["value"].tensor.CopyFrom(tensor)
    node.attr["dtype"].type = tensor.dtype
