"""Layers of a graph whose kernel is a constant of their own, with axes that have names."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.shapes import Shapes
from edgekit_runtimes.tensors import Array

CONVOLUTION, DEPTHWISE, DENSE = "Conv2D", "DepthwiseConv2dNative", "MatMul"
KERNEL_OPS = frozenset({CONVOLUTION, DEPTHWISE, DENSE})
_KERNEL, _LAST = 1, b"NHWC"


class Kernel:
    """The kernel of one layer, in float64 while it is changed.

    values: [height, width, inputs per group, outputs] of a convolution, [height, width, inputs,
    multiplier] of a depthwise one, [inputs, outputs] of a dense layer, whichever way it is stored.
    inputs, outputs: the channels of the tensors before and behind the layer.
    """

    def __init__(self, node: Any, constant: Array, inputs: int) -> None:
        self.node = node
        self._is_transposed = node.op == DENSE and bool(node.attr["transpose_b"].b)
        self.values = (constant.T if self._is_transposed else constant).astype(np.float64)
        self.is_depthwise = node.op == DEPTHWISE
        self.inputs = inputs
        last = self.values.shape[-2:] if self.is_depthwise else self.values.shape[-1:]
        self.outputs = int(np.prod(last))
        self.groups = 1 if self.is_depthwise else inputs // self.values.shape[-2]

    @property
    def places(self) -> int:
        """How many values of each input channel an output is computed from."""
        return int(np.prod(self.values.shape[: self.values.ndim - 2]))

    @property
    def has_padding(self) -> bool:
        """Whether zeros may stand beside the values of the input."""
        return bool(self.node.op != DENSE and self.node.attr["padding"].s != b"VALID")

    def scale_inputs(self, scale: Array) -> None:
        """Multiply what each input channel meets. scale: [inputs]."""
        if self.is_depthwise:
            self.values = self.values * scale[:, None]
        else:
            self.values = self.values * self.spread(scale)

    def scale_outputs(self, scale: Array) -> None:
        """Multiply each output channel. scale: [outputs]."""
        last = self.values.shape[-2:] if self.is_depthwise else self.values.shape[-1:]
        self.values = self.values * scale.reshape(last)

    def answer_to(self, offset: Array) -> Array:
        """Return what the layer makes of an input that is `offset` everywhere. offset: [inputs]."""
        if self.is_depthwise:
            return np.asarray((self.values * offset[:, None]).sum(axis=(0, 1)).reshape(-1))
        summed = tuple(range(self.values.ndim - 1))
        return np.asarray((self.values * self.spread(offset)).sum(axis=summed))

    def input_sizes(self) -> Array:
        """Return the largest weight that each input channel meets: [inputs]."""
        sizes = np.abs(self.values)
        if self.is_depthwise:
            return np.asarray(sizes.max(axis=(0, 1, 3)))
        sizes = sizes.max(axis=tuple(range(sizes.ndim - 2)))
        grouped = sizes.reshape(sizes.shape[0], self.groups, -1).max(axis=-1)
        return np.asarray(grouped.T.reshape(-1))

    def input_squares(self) -> Array:
        """Return the sum of squares of the weights that each input channel meets: [inputs]."""
        squares = self.values**2
        if self.is_depthwise:
            return np.asarray(squares.sum(axis=(0, 1, 3)))
        squares = squares.sum(axis=tuple(range(squares.ndim - 2)))
        grouped = squares.reshape(squares.shape[0], self.groups, -1).sum(axis=-1)
        return np.asarray(grouped.T.reshape(-1))

    def largest_weights(self) -> Array:
        """Return the largest weights over all places: [inputs per group, outputs]."""
        return np.asarray(np.abs(self.values).max(axis=tuple(range(self.values.ndim - 2))))

    def spread(self, by_input: Array) -> Array:
        """Return [inputs] as [inputs per group, outputs]."""
        grouped = by_input.reshape(self.groups, -1).T
        return np.asarray(np.repeat(grouped, self.outputs // self.groups, axis=1))

    def stored(self) -> Array:
        """Return the kernel as it is stored."""
        values = self.values.astype(np.float32)
        return np.ascontiguousarray(values.T if self._is_transposed else values)


def find_kernels(graph: EditableGraph, shapes: Shapes) -> dict[str, Kernel]:
    """Return the kernels by the names of their nodes, in the order of the graph.

    A kernel that several nodes read is nobody's own, and not among them.
    """
    found = (kernel_of(graph, node, shapes) for node in graph)
    return {kernel.node.name: kernel for kernel in found if kernel is not None}


def kernel_of(graph: EditableGraph, node: Any, shapes: Shapes) -> Kernel | None:
    """Return the kernel of one node; None where it has no constant of its own."""
    if node.op not in KERNEL_OPS or not _reads_channels_last(node):
        return None
    constant = graph.constant(node.input[_KERNEL])
    shape = shapes.get(node.input[0])
    if constant is None or constant.dtype != np.float32 or not shape or shape[-1] is None:
        return None
    is_own = graph.only_user(node.input[_KERNEL]) is not None
    if not is_own or not np.isfinite(constant).all() or not constant.size:
        return None
    return Kernel(node, constant, shape[-1])


def _reads_channels_last(node: Any) -> bool:
    if node.op == DENSE:
        return not node.attr["transpose_a"].b
    return node.attr["data_format"].s in (b"", _LAST)
