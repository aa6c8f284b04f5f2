"""Normalizations, by Mul and Rsqrt: a Div of int8 dies when TFLite invokes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from edgekit_converters.sources.onnx.node import Node
from edgekit_converters.sources.onnx.ops import operator
from edgekit_converters.sources.onnx.value import Value, channels_last

EPSILON = 1e-5
# Since then GroupNormalization has a scale per channel; before, one per group.
CHANNEL_SCALE_OPSET = 21


def normalized(x: Any, axes: Sequence[int], epsilon: float) -> Any:
    """Return a tensor with mean 0 and variance 1 over axes."""
    moved = x - tf.reduce_mean(x, axes, keepdims=True)
    variance = tf.reduce_mean(tf.square(moved), axes, keepdims=True)
    return moved * tf.math.rsqrt(variance + np.asarray(epsilon, x.dtype.as_numpy_dtype))


@operator("BatchNormalization")
def batch_normalization(node: Node) -> Value:
    """One factor and one offset per channel."""
    if node.get("training_mode", 0) or any(node.outputs[1:]):
        raise node.refusal("it is being trained")
    names = ("scale", "B", "mean", "var")
    scale, offset, mean, variance = (
        node.array(place, name).astype(np.float64) for place, name in enumerate(names, 1)
    )
    factor = scale / np.sqrt(variance + node.get("epsilon", EPSILON))
    value = node[0]
    order = value.order
    dtype = value.dtype
    shape = [1] * value.rank
    shape[order.index(1)] = -1
    shape = shape[order.index(1) :]
    by = factor.astype(dtype).reshape(shape)
    plus = (offset - mean * factor).astype(dtype).reshape(shape)
    return node.value(value.tensor(order) * by + plus, order)


@operator("InstanceNormalization")
def instance_normalization(node: Node) -> Value:
    """Over all places of each channel."""
    value = node[0]
    order = value.order
    axes = [order.index(axis) for axis in range(2, value.rank)]
    found = normalized(value.own, axes, node.get("epsilon", EPSILON))
    shape = [1] * value.rank
    shape[order.index(1)] = -1
    by, plus = (tf.reshape(node[place].plain, shape[order.index(1) :]) for place in (1, 2))
    return node.value(found * by + plus, order)


@operator("LayerNormalization")
def layer_normalization(node: Node) -> Sequence[Value]:
    """Over all axes from one on; its mean and the factor are outputs too."""
    value = node[0]
    axis = node.get("axis", -1) % value.rank
    is_last = axis == value.rank - 1 and value.order[-1] == axis
    order = value.order if is_last else tuple(range(value.rank))
    axes = [order.index(other) for other in range(axis, value.rank)]
    x, epsilon = value.tensor(order), node.get("epsilon", EPSILON)
    found = normalized(x, axes, epsilon) * node[1].plain
    offset = node.maybe(2)
    made = [node.value(found if offset is None else found + offset.plain, order)]
    for place in (1, 2):
        if node.is_read(place):
            part = tf.reduce_mean(x, axes, keepdims=True)
            if place == 2:
                part = tf.reduce_mean(tf.square(x - part), axes, keepdims=True)
                part = tf.math.rsqrt(part + np.asarray(epsilon, value.dtype))
            made.append(node.value(part, order, place))
    return made


@operator("RMSNormalization", "SimplifiedLayerNormalization")
def rms_normalization(node: Node) -> Value:
    """By the root of the mean of squares, over all axes from one on."""
    value = node[0]
    axes = list(range(node.get("axis", -1) % value.rank, value.rank))
    x = value.plain
    mean = tf.reduce_mean(tf.square(x), axes, keepdims=True)
    epsilon = np.asarray(node.get("epsilon", EPSILON), value.dtype)
    return node.value(x * tf.math.rsqrt(mean + epsilon) * node[1].plain)


@operator("GroupNormalization")
def group_normalization(node: Node) -> Value:
    """Over all places of a group of channels, channels last."""
    value, groups = node[0], node.get("num_groups")
    rank = value.rank
    channels, *places = node.fixed(value.sizes[1:], "its size")
    width = channels // groups
    count = int(np.prod(places))
    x = node.batch.reshaped(
        value.tensor(channels_last(rank)), (value.sizes[0], count, groups, width)
    )
    found = normalized(x, [1, 3], node.get("epsilon", EPSILON))
    scale, offset = node[1], node[2]
    order = channels_last(rank)
    if node.opset < CHANNEL_SCALE_OPSET:
        shape = (groups, 1)
        found = found * tf.reshape(scale.plain, shape) + tf.reshape(offset.plain, shape)
        return node.value(_back(node, found, value), order)
    found = _back(node, found, value)
    return node.value(found * scale.plain + offset.plain, order)


def _back(node: Node, x: Any, value: Value) -> Any:
    return node.batch.reshaped(x, value.physical(channels_last(value.rank)))


@operator("LpNormalization")
def lp_normalization(node: Node) -> Value:
    """By the 1-norm or the 2-norm along an axis."""
    value = node[0]
    place = value.place(node.get("axis", -1))
    x = value.own
    if node.get("p", 2) == 1:
        norm = tf.reduce_sum(tf.abs(x), place, keepdims=True)
    else:
        norm = tf.sqrt(tf.reduce_sum(tf.square(x), place, keepdims=True))
    return node.value(x * tf.math.reciprocal_no_nan(norm), value.order)


@operator("MeanVarianceNormalization")
def mean_variance_normalization(node: Node) -> Value:
    """Over the axes given."""
    value = node[0]
    places = [value.place(axis) for axis in node.get("axes", [0, 2, 3])]
    return node.value(normalized(value.own, places, 1e-9), value.order)


@operator("LRN")
def lrn(node: Node) -> Value:
    """Over neighbouring channels, as many in front as behind."""
    value, size = node[0], node.get("size")
    alpha, beta, bias = node.get("alpha", 1e-4), node.get("beta", 0.75), node.get("bias", 1.0)
    x = value.tensor(channels_last(value.rank))
    if size % 2 == 0 or value.rank != 4:
        squares = tf.pad(tf.square(x), [(0, 0)] * (value.rank - 1) + [((size - 1) // 2, size // 2)])
        parts = [squares[..., n : n + int(x.shape[-1])] for n in range(size)]
        sums = tf.add_n(parts)
        return node.value(x * tf.pow(bias + alpha / size * sums, -beta), channels_last(value.rank))
    found = tf.nn.lrn(x, depth_radius=size // 2, bias=bias, alpha=alpha / size, beta=beta)
    return node.value(found, channels_last(value.rank))
