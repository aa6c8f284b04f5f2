"""Fusing: what follows a convolution or a matrix product channel by channel becomes part of it.

Batch norms (a Mul and an Add, or FusedBatchNorm), scales and biases change weights and bias;
relu and similar activations are done by the fused op. Every op that stays is a shader pass.
What comes *before* is folded too where that is exact: a scale always, an offset only where
nothing is padded (the padding is zero, and zero is not the offset).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edgekit_converters.graph.affine import affine_of
from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_converters.graph.shapes import Shapes
from edgekit_runtimes.tensors import Array

FUSED_OPS = {
    "Conv2D": "_FusedConv2D",
    "DepthwiseConv2dNative": "FusedDepthwiseConv2dNative",
    "MatMul": "_FusedMatMul",
}
_ACTIVATIONS = frozenset({"Relu", "Relu6", "Elu"})
# FusedDepthwiseConv2dNative has no `leakyrelu_alpha` in @tensorflow/tfjs-converter 4.22.0.
_LEAKY_OPS = frozenset({"Conv2D", "MatMul"})
# y = x * scale + offset is folded into the kernel K behind it as K(x * scale) + K(offset). Where y
# is about 1 and the offset much larger, both parts are large and cancel, and so do their digits: a
# sensor's 101,325 Pa with a standard deviation of 100 has an offset of 1,013, which costs ten of
# float16's eleven bits. Up to 4, what is added (x * scale is 7 where y is 3) costs hardly one;
# images scaled to -1 to 1 have 1, those normalized by ImageNet's statistics 2.1.
LARGEST_OFFSET = 4.0
# Marks a fused node whose bias holds what came before it, and is stored as it is.
EXACT_BIAS = "_exact_bias"
# Where the last axis survives a change of shape, work by channel can as well be done before it.
_RESHAPING_OPS = frozenset({"ExpandDims", "Reshape", "Squeeze"})


def fuse(frozen: FrozenGraph, shapes: Shapes) -> FrozenGraph:
    """Return the graph with `_FusedConv2D`, `FusedDepthwiseConv2dNative` and `_FusedMatMul`.

    Needs folded constants. Ops whose weights are not constants stay as they are.
    shapes: those of `frozen`. TensorFlow itself cannot run the result: see `expand`.
    """
    graph = EditableGraph(frozen)
    for node in graph:
        if node.op in FUSED_OPS and not _is_transposed(node, "transpose_a"):
            weights = graph.constant(node.input[1])
            if weights is not None and weights.dtype == np.float32:
                _fuse_node(graph, node, weights, shapes)
    graph.sweep()
    return graph.frozen()


def _fuse_node(graph: EditableGraph, node: Any, weights: Array, shapes: Shapes) -> None:
    kernel = _Kernel(node, weights)
    _absorb_before(graph, node, kernel, shapes)
    tail = _absorb_after(graph, node, kernel, shapes)
    activation = graph.only_user(tail)
    if activation is not None and not _has_activation(node.op, activation.op):
        activation = None

    inputs = [node.input[0], node.input[1]]
    becomes_fused = activation is not None or kernel.bias.any()
    if becomes_fused and kernel.is_transposed:
        kernel.is_changed, kernel.is_transposed = True, False
        node.attr["transpose_b"].b = False
    if kernel.is_changed:
        inputs[1] = graph.add_constant(f"{node.name}/weights", kernel.weights())
    if becomes_fused:
        bias = kernel.bias.astype(np.float32)
        inputs.append(graph.add_constant(f"{node.name}/bias", bias))
        _become_fused(node, activation)
        node.attr[EXACT_BIAS].b = kernel.has_offset
    if activation is not None:
        graph.bypass(activation, tail)
    graph.set_inputs(node, inputs)


def _become_fused(node: Any, activation: Any | None) -> None:
    node.op = FUSED_OPS[node.op]
    node.attr["num_args"].i = 1
    fused_ops = node.attr["fused_ops"].list.s
    fused_ops.append(b"BiasAdd")
    if activation is not None:
        fused_ops.append(activation.op.encode())
        if activation.op == "LeakyRelu":
            node.attr["leakyrelu_alpha"].f = activation.attr["alpha"].f


def _absorb_before(graph: EditableGraph, node: Any, kernel: _Kernel, shapes: Shapes) -> None:
    is_padded = node.op != "MatMul" and node.attr["padding"].s != b"VALID"
    while graph.only_user(node.input[0]) is not None:
        producer = graph.node(node.input[0])
        affine = affine_of(graph, producer, shapes)
        if affine is None or len(affine.scale) != kernel.inputs:
            return
        if is_padded and affine.offset.any():
            return
        if np.abs(affine.offset).max(initial=0) > LARGEST_OFFSET:
            return
        kernel.take_before(affine.scale, affine.offset)
        graph.bypass(producer, affine.source)


def _absorb_after(graph: EditableGraph, node: Any, kernel: _Kernel, shapes: Shapes) -> str:
    """Fold the chain after `node` into `kernel` and return the tensor where the chain ends."""
    tail = str(node.name)
    while (user := graph.only_user(tail)) is not None:
        if user.op in _RESHAPING_OPS:
            shape = shapes.get(user.name)
            if user.input[0] != tail or not shape or shape[-1] != kernel.outputs:
                break
            tail = user.name
            continue
        affine = affine_of(graph, user, shapes)
        if affine is None or affine.source != tail:
            break
        kernel.take_after(affine.scale, affine.offset)
        graph.bypass(user, tail)
    return tail


def _is_transposed(node: Any, attribute: str) -> bool:
    return bool(attribute in node.attr and node.attr[attribute].b)


def _has_activation(op: str, activation: str) -> bool:
    return activation in _ACTIVATIONS or (activation == "LeakyRelu" and op in _LEAKY_OPS)


class _Kernel:
    """Weights and bias in float64 while scales and offsets are folded into them.

    Weights are [..., inputs, outputs]; those of a depthwise convolution [..., inputs, multiplier],
    where the outputs are inputs x multiplier.
    """

    def __init__(self, node: Any, weights: Array) -> None:
        # Trap: on wasm TF.js (4.22.0) computes _FusedMatMul of transposed weights wrongly.
        self.is_transposed = _is_transposed(node, "transpose_b")
        self._weights = (weights.T if self.is_transposed else weights).astype(np.float64)
        axes = 2 if node.op == "DepthwiseConv2dNative" else 1
        self._output_shape = self._weights.shape[-axes:]
        self.inputs = self._weights.shape[-2]
        self.outputs = int(np.prod(self._output_shape))
        self.bias = np.zeros(self.outputs)
        self.is_changed = False
        self.has_offset = False

    def take_before(self, scale: Array, offset: Array) -> None:
        """Fold in x * scale + offset, done to the input. scale, offset: [inputs]."""
        summed = tuple(range(self._weights.ndim - len(self._output_shape)))
        shift = (self._weights * offset[:, None]).sum(axis=summed)
        self.bias = self.bias + shift.reshape(-1)
        self.has_offset |= bool(offset.any())
        self._scale(scale[:, None])

    def take_after(self, scale: Array, offset: Array) -> None:
        """Fold in y * scale + offset, done to the output. scale, offset: [outputs]."""
        self.bias = self.bias * scale + offset
        self._scale(scale.reshape(self._output_shape))

    def weights(self) -> Array:
        """Return the weights as they are now: float32, transposed where `is_transposed`."""
        weights = self._weights.T if self.is_transposed else self._weights
        return weights.astype(np.float32)

    def _scale(self, factor: Array) -> None:
        if (factor != 1).any():
            self._weights = self._weights * factor
            self.is_changed = True
