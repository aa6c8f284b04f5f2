"""Magnitude pruning of the frozen graph's kernels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from edgekit_converters.graph.modifiers import Modifier

if TYPE_CHECKING:
    from edgekit_converters.graph.frozen import FrozenGraph
    from edgekit_runtimes.tensors import Array

# The operators whose second input is a kernel. Depthwise kernels stay as they are: they hold few
# weights, and each of them matters.
KERNEL_OPS = frozenset({"Conv2D", "Conv3D", "MatMul", "BatchMatMulV2", "Conv2DBackpropInput"})

# What may be between a kernel and its operator without changing which weights it holds.
PASS_THROUGH_OPS = frozenset({"Identity", "ExpandDims", "Squeeze", "Reshape", "Transpose"})

# Smaller kernels save a few bytes and lose the most accuracy.
MIN_ELEMENTS = 1_000


def prune(graph: FrozenGraph, percent: int) -> FrozenGraph:
    """Return the graph with the `percent` % smallest weights of each kernel set to zero.

    Kernels of convolutions and dense layers of at least 1,000 elements are pruned, each for
    itself by magnitude; depthwise kernels and biases stay. What it buys is a smaller download
    (zeros compress), not speed: the engines compute with dense weights.
    """
    constants = graph.constants()
    return graph.with_constants(
        {name: _zero_smallest(constants[name], percent) for name in kernel_names(graph)}
    )


def kernel_names(graph: FrozenGraph) -> tuple[str, ...]:
    """Return the names of the Const nodes that `prune` would edit."""
    nodes = {node.name: node for node in graph.graph_def.node}
    names = {}
    for node in graph.graph_def.node:
        if node.op in KERNEL_OPS:
            constant = _origin(nodes, node.input[1])
            if constant is not None and _elements(constant) >= MIN_ELEMENTS:
                names[constant.name] = True
    return tuple(names)


def _origin(nodes: dict[str, Any], tensor: str) -> Any | None:
    """Return the Const node that a kernel comes from, or None where it is computed."""
    node = nodes[tensor.split(":")[0]]
    while node.op in PASS_THROUGH_OPS:
        node = nodes[node.input[0].split(":")[0]]
    is_float = node.op == "Const" and node.attr["dtype"].type == 1
    return node if is_float else None


def _elements(constant: Any) -> int:
    return math.prod(axis.size for axis in constant.attr["value"].tensor.tensor_shape.dim)


def _zero_smallest(weights: Array, percent: int) -> Array:
    import numpy as np

    count = weights.size * percent // 100
    pruned = weights.copy().reshape(-1)
    pruned[np.argpartition(np.abs(pruned), count)[:count]] = 0
    return pruned.reshape(weights.shape)


MODIFIER = Modifier(
    word="prune",
    place=20,
    apply=prune,
    consequence="the 50 % smallest weights of each large kernel set to zero first: a smaller "
    "download once compressed, no speed",
    advice="prune less",
)
