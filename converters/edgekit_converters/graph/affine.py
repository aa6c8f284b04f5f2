"""Nodes that scale and shift each channel: y = x * scale + offset along the last axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from edgekit_converters.graph.edit import EditableGraph, output_tensor
from edgekit_converters.graph.shapes import Shapes
from edgekit_runtimes.tensors import Array

ADDING_OPS = frozenset({"Add", "AddV2", "BiasAdd"})
_DIVIDING_OPS = frozenset({"Div", "RealDiv"})
_BATCH_NORM_OPS = frozenset({"FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"})
_BATCH_NORM_OUTPUTS = 6
AFFINE_OPS = ADDING_OPS | _DIVIDING_OPS | _BATCH_NORM_OPS | {"Mul", "Sub"}


@dataclass(frozen=True)
class Affine:
    """What a node does to the tensor `source`. scale, offset: float64 [channels]."""

    source: str
    scale: Array
    offset: Array


def affine_of(graph: EditableGraph, node: Any, shapes: Shapes) -> Affine | None:
    """Return what `node` does, where that is one scale and one offset per channel, else None."""
    if node.op in _BATCH_NORM_OPS:
        return _batch_norm(graph, node)
    if node.op in AFFINE_OPS:
        return _binary(graph, node, shapes)
    return None


def _batch_norm(graph: EditableGraph, node: Any) -> Affine | None:
    tensors = list(node.input)
    constants = [graph.constant(tensor) for tensor in tensors[1:]]
    gives_statistics = any(
        graph.users(tensor) or graph.is_output(tensor)
        for tensor in (output_tensor(node.name, index) for index in range(1, _BATCH_NORM_OUTPUTS))
    )
    if node.attr["is_training"].b or gives_statistics:
        return None
    if any(constant is None for constant in constants):
        return None
    gamma, beta, mean, variance = (np.asarray(value, np.float64) for value in constants)
    scale = gamma / np.sqrt(variance + node.attr["epsilon"].f)
    return _finite(tensors[0], scale, beta - mean * scale)


def _binary(graph: EditableGraph, node: Any, shapes: Shapes) -> Affine | None:
    left, right = node.input
    values = graph.constant(left), graph.constant(right)
    if (values[0] is None) == (values[1] is None):
        return None
    constant_first = values[0] is not None
    source = right if constant_first else left
    vector = _by_channel(values[0] if constant_first else values[1], shapes.get(source))
    if vector is None:
        return None
    ones, zeros = np.ones_like(vector), np.zeros_like(vector)
    if node.op in ADDING_OPS:
        return _finite(source, ones, vector)
    if node.op == "Mul":
        return _finite(source, vector, zeros)
    if node.op == "Sub":
        return _finite(source, -ones, vector) if constant_first else _finite(source, ones, -vector)
    if constant_first:
        return None
    with np.errstate(divide="ignore"):
        return _finite(source, 1 / vector, zeros)


def _by_channel(value: Array | None, shape: tuple[int | None, ...] | None) -> Array | None:
    """Return a constant as float64 [channels] where it meets a tensor of `shape` so, else None.

    Trap: a constant may also widen the tensor by broadcasting. That is nothing by channel.
    """
    if value is None or value.dtype != np.float32 or not shape or shape[-1] is None:
        return None
    channels = shape[-1]
    fits = value.size == 1 or (value.size == channels and value.shape[-1] == channels)
    if not fits or value.ndim > len(shape):
        return None
    return np.broadcast_to(value.reshape(-1).astype(np.float64), (channels,))


def _finite(source: str, scale: Array, offset: Array) -> Affine | None:
    if not (np.isfinite(scale).all() and np.isfinite(offset).all()):
        return None
    return Affine(source, scale, offset)
