"""Which channels of which tensors have to be scaled alike for the graph to compute the same.

A scale per channel passes through what computes each channel by itself and knows no fixed size:
relu, pools, sums, concatenations, changes of shape. It ends where a constant takes it up: at the
kernel of a convolution or dense layer, at a factor per channel. Everywhere else it has to be 1.

Cross-layer equalization: Nagel et al., Data-Free Quantization (ICCV 2019), section 4.1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from edgekit_converters.graph.affine import AFFINE_OPS, affine_of
from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.shapes import Shapes
from edgekit_converters.quantize.kernels import Kernel
from edgekit_runtimes.tensors import Array

# The channel whose scale is 1.
FIXED = 0

# What is larger of two numbers is not what is larger of them when both are negated.
_POSITIVE_OPS = frozenset({"Relu", "LeakyRelu", "MaxPool", "Max", "Min"})
_SAME_OPS = frozenset({"AvgPool", "Identity", "Mean", "Sum", "Pad", "MirrorPad"})
_SHAPING_OPS = frozenset({"Reshape", "Squeeze", "ExpandDims"})
_SUM_OPS = frozenset({"Add", "AddV2", "AddN", "Sub"})
_RESIZING_OPS = frozenset({"ResizeBilinear", "ResizeNearestNeighbor"})
_BLOCK_OPS = frozenset({"SpaceToBatchND", "BatchToSpaceND"})
_REDUCING_OPS = frozenset({"Mean", "Sum", "Max", "Min"})


class Channels:
    """The channels of a graph, as numbers: those with the same number have one scale.

    graph: with folded constants, without nodes that only forward.
    """

    def __init__(self, graph: EditableGraph, shapes: Shapes, kernels: Mapping[str, Kernel]) -> None:
        self._graph, self._shapes, self._kernels = graph, shapes, kernels
        self._parents = [FIXED]
        self._numbers: dict[str, Array] = {}
        positive: list[str] = []
        for tensor in (*graph.inputs.values(), *graph.outputs.values()):
            self._fix(tensor)
        for node in graph:
            if node.op in _POSITIVE_OPS:
                positive.append(node.name)
            self._meet(node)
        roots = np.array([self._root(number) for number in range(len(self._parents))])
        self._numbers = {tensor: roots[numbers] for tensor, numbers in self._numbers.items()}
        self.count = len(self._parents)
        self._has_sign = np.zeros(self.count, bool)
        for name in positive:
            self._has_sign[self._numbers.get(name, FIXED)] = True

    @property
    def tensors(self) -> tuple[str, ...]:
        """The tensors of which at least one channel may be scaled."""
        return tuple(name for name, found in self._numbers.items() if (found != FIXED).any())

    def of(self, tensor: str) -> Array:
        """Return the number of each channel of a tensor; FIXED where it cannot be scaled."""
        if tensor not in self._numbers:
            shape = self._shapes.get(tensor) or (1,)
            return np.full(shape[-1] or 1, FIXED)
        return self._numbers[tensor]

    def keeps(self, numbers: Array) -> Array:
        """Return for each number whether its scale has to be positive."""
        return np.asarray(self._has_sign[numbers])

    def _meet(self, node: Any) -> None:
        if node.op == "Const":
            return
        rule = self._rule(node)
        if rule is None or not rule(node):
            for tensor in (*node.input, node.name, *(f"{node.name}:{i}" for i in range(1, 6))):
                self._fix(tensor)

    def _rule(self, node: Any) -> Callable[[Any], bool] | None:
        if node.name in self._kernels:
            return self._layer
        if node.op in AFFINE_OPS:
            affine = affine_of(self._graph, node, self._shapes)
            if affine is not None:
                return self._free if (affine.scale != 1).any() else self._offset
        if node.op in _SUM_OPS:
            return self._sum
        if node.op == "Mul":
            return self._gate
        if node.op == "ConcatV2":
            return self._concat
        if node.op in _SHAPING_OPS:
            return self._shape
        if node.op in _POSITIVE_OPS | _SAME_OPS | _RESIZING_OPS | _BLOCK_OPS:
            return self._same
        return None

    def _layer(self, node: Any) -> bool:
        """Its kernel takes up both scales."""
        return self._own(node.input[0]) is not None and self._own(node.name) is not None

    def _free(self, node: Any) -> bool:
        """A factor per channel takes up both scales."""
        affine = affine_of(self._graph, node, self._shapes)
        source = self._own(affine.source) if affine is not None else None
        return source is not None and self._own(node.name) is not None

    def _offset(self, node: Any) -> bool:
        affine = affine_of(self._graph, node, self._shapes)
        return affine is not None and self._tie(affine.source, node.name)

    def _sum(self, node: Any) -> bool:
        sizes = [self._shapes.get(tensor) for tensor in (*node.input, node.name)]
        if any(size is None or size[-1:] != sizes[-1][-1:] for size in sizes):  # type: ignore[index]
            return False
        return all(self._tie(tensor, node.name) for tensor in node.input)

    def _gate(self, node: Any) -> bool:
        """Multiply by one factor for a whole image, as squeeze-and-excitation does."""
        left, right = (self._shapes.get(tensor) for tensor in node.input)
        if not left or not right or len(left) != len(right) or left[-1] != right[-1]:
            return False
        plain = [all(size == 1 for size in shape[1:-1]) for shape in (left, right)]
        if len(left) < 3 or plain[0] == plain[1]:
            return False
        value, gate = node.input if plain[1] else reversed(list(node.input))
        self._fix(gate)
        return self._tie(value, node.name)

    def _concat(self, node: Any) -> bool:
        axis = self._graph.constant(node.input[-1])
        shape = self._shapes.get(node.name)
        if axis is None or not shape:
            return False
        if int(axis) % len(shape) != len(shape) - 1:
            return all(self._tie(tensor, node.name) for tensor in node.input[:-1])
        parts = [part for tensor in node.input[:-1] if (part := self._own(tensor)) is not None]
        if len(parts) != len(node.input) - 1:
            return False
        return self._unite(np.concatenate(parts), self._own(node.name))

    def _shape(self, node: Any) -> bool:
        """Let the last axis be as it was, or holding whole images of channels in their order."""
        before, after = (self._shapes.get(name) for name in (node.input[0], node.name))
        if not before or not after or before[-1] is None or after[-1] is None:
            return False
        if before[-1] == after[-1]:
            return self._tie(node.input[0], node.name)
        if len(after) != 2 or flat_size(before) != after[-1]:
            return False
        source, target = self._own(node.input[0]), self._own(node.name)
        if source is None:
            return False
        return self._unite(np.tile(source, after[-1] // before[-1]), target)

    def _same(self, node: Any) -> bool:
        before, after = (self._shapes.get(name) for name in (node.input[0], node.name))
        if not before or not after or before[-1] != after[-1]:
            return False
        if node.op in _REDUCING_OPS:
            axes = self._graph.constant(node.input[1])
            if axes is None or (len(before) - 1) in np.atleast_1d(axes) % len(before):
                return False
        if node.op in ("MaxPool", "AvgPool") and not _pools_images(node):
            return False
        return self._tie(node.input[0], node.name)

    def _own(self, tensor: str) -> Array | None:
        """Return the numbers of a tensor, new ones where it has none."""
        if tensor not in self._numbers:
            shape = self._shapes.get(tensor)
            if not shape or shape[-1] is None:
                return None
            start = len(self._parents)
            self._parents.extend(range(start, start + shape[-1]))
            self._numbers[tensor] = np.arange(start, start + shape[-1])
        return self._numbers[tensor]

    def _tie(self, one: str, other: str) -> bool:
        return self._unite(self._own(one), self._own(other))

    def _unite(self, ones: Array | None, others: Array | None) -> bool:
        if ones is None or others is None or len(ones) != len(others):
            return False
        for one, other in zip(ones.tolist(), others.tolist(), strict=True):
            first, second = self._root(one), self._root(other)
            # The smaller number stays, so that FIXED wins.
            self._parents[max(first, second)] = min(first, second)
        return True

    def _fix(self, tensor: str) -> None:
        numbers = self._own(tensor)
        if numbers is not None:
            for number in numbers.tolist():
                self._parents[self._root(number)] = FIXED

    def _root(self, number: int) -> int:
        while self._parents[number] != number:
            self._parents[number] = self._parents[self._parents[number]]
            number = self._parents[number]
        return number


def _pools_images(node: Any) -> bool:
    is_last = node.attr["data_format"].s in (b"", b"NHWC")
    sizes = [*node.attr["ksize"].list.i]
    return is_last and bool(sizes) and sizes[-1] == 1


def flat_size(shape: tuple[int | None, ...]) -> int | None:
    """Return how many values of a shape one sample has; None where that is free."""
    sizes = [size for size in shape[1:] if size is not None]
    return math.prod(sizes) if len(sizes) == len(shape) - 1 else None
