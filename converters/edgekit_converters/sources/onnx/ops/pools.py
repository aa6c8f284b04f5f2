"""Pooling, which works channels last."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from edgekit_converters.sources.onnx.node import Node
from edgekit_converters.sources.onnx.ops import operator
from edgekit_converters.sources.onnx.ops.convolutions import (
    Pads,
    in_two_axes,
    is_same,
    out_of_two_axes,
    pads_of,
    spatial,
    widened,
)
from edgekit_converters.sources.onnx.value import Value, channels_last

# Below every float32 that a model computes, and finite: TFLite quantizes paddings.
LOWEST = -3.4e38


class _Window:
    """How a pool slides over an image; a series is an image one row high."""

    def __init__(self, node: Node) -> None:
        value = node[0]
        self.rank = value.rank - 2
        if self.rank not in (1, 2, 3):
            raise node.refusal(f"it works over {self.rank} axes")
        self.node = node
        self.sizes: tuple[int, ...] = spatial(node, value)
        self.out: tuple[int, ...] = node.fixed(node.sizes[0][2:], "the size of its images")
        self.kernel = list(node.get("kernel_shape"))
        self.strides = list(node.get("strides") or [1] * self.rank)
        self.dilations = list(node.get("dilations") or [1] * self.rank)
        self.pads: Pads = pads_of(node, self.sizes, self.kernel, self.strides, self.dilations)
        # With ceil_mode the last window may reach further than the padding.
        self.reach: Pads = [
            (low, (out - 1) * stride + (width - 1) * step + 1 - size - low)
            for (low, _), out, stride, width, step, size in zip(
                self.pads,
                self.out,
                self.strides,
                self.kernel,
                self.dilations,
                self.sizes,
                strict=True,
            )
        ]
        self.x = value.tensor(channels_last(value.rank))
        if self.rank == 1:
            self.x = in_two_axes(node, self.x, value.sizes)
            self.sizes, self.out = (1, *self.sizes), (1, *self.out)
            self.kernel, self.strides = [1, *self.kernel], [1, *self.strides]
            self.dilations = [1, *self.dilations]
            self.pads, self.reach = [(0, 0), *self.pads], [(0, 0), *self.reach]

    @property
    def is_same(self) -> bool:
        """Whether TensorFlow's SAME makes these windows: their number, and where they begin."""
        counts = [-(-size // stride) for size, stride in zip(self.sizes, self.strides, strict=True)]
        begins = is_same(
            [(low, max(high, 0)) for low, high in self.reach],
            self.sizes,
            self.kernel,
            self.strides,
            self.dilations,
        )
        return begins and list(self.out) == counts

    def reached(self, value: float) -> Any:
        """Return the image with just what the windows reach."""
        return widened(self.x, self.reach, value)

    def finished(self, found: Any) -> Value:
        """Return what was pooled as the node's output."""
        if self.rank == 1:
            found = out_of_two_axes(self.node, found, self.node.sizes[0])
        return self.node.value(found, channels_last(self.node[0].rank))


@operator("MaxPool")
def max_pool(node: Node) -> Value:
    """What pads is below every number."""
    if node.is_read(1):
        raise node.refusal("it says where the largest numbers are (its second output)")
    window = _Window(node)
    if node[0].dtype.kind != "f":
        raise node.refusal("it pools integers")
    pool = tf.nn.max_pool2d if len(window.kernel) == 2 else tf.nn.max_pool3d
    if max(window.dilations) > 1:
        return window.finished(_largest(window))
    if window.is_same:
        return window.finished(pool(window.x, window.kernel, window.strides, "SAME"))
    return window.finished(pool(window.reached(LOWEST), window.kernel, window.strides, "VALID"))


def _largest(window: _Window) -> Any:
    """Return the largest of the shifted images: TensorFlow's pools know no dilations."""
    x = window.reached(LOWEST)
    found = None
    for place in itertools.product(*map(range, window.kernel)):
        begin = [step * at for step, at in zip(window.dilations, place, strict=True)]
        end = [
            low + (out - 1) * stride + 1
            for low, out, stride in zip(begin, window.out, window.strides, strict=True)
        ]
        slices = [slice(*ends) for ends in zip(begin, end, window.strides, strict=True)]
        shifted = x[(slice(None), *slices, slice(None))]
        found = shifted if found is None else tf.maximum(found, shifted)
    return found


@operator("AveragePool")
def average_pool(node: Node) -> Value:
    """Padding counts with count_include_pad; what lies beyond it never does."""
    window = _Window(node)
    counts_pads = bool(node.get("count_include_pad", 0))
    x, kernel, strides = window.x, window.kernel, window.strides
    pads_any = any(pad > 0 for pair in window.pads for pad in pair)
    if max(window.dilations) > 1:
        return window.finished(_dilated_mean(window, counts_pads))
    pool = tf.nn.avg_pool2d if len(kernel) == 2 else tf.nn.avg_pool3d
    if window.is_same and (not counts_pads or not pads_any):
        return window.finished(pool(x, kernel, strides, "SAME"))
    found = pool(window.reached(0.0), kernel, strides, "VALID")
    shares = _shares(window, counts_pads)
    return window.finished(found if np.all(shares == 1) else found * _constant(shares, x))


def _constant(shares: Any, x: Any) -> Any:
    return tf.constant(shares[None, ..., None].astype(x.dtype.as_numpy_dtype))


def _shares(window: _Window, counts_pads: bool) -> Any:
    """Return the size of the kernel over how many numbers count, for each window."""
    per_axis = []
    for number, out in enumerate(window.out):
        (low, high), size = window.pads[number], window.sizes[number]
        begins = np.arange(out)[:, None] * window.strides[number] - low
        places = begins + np.arange(window.kernel[number]) * window.dilations[number]
        first, last = (-low, size + high) if counts_pads else (0, size)
        per_axis.append(((places >= first) & (places < last)).sum(1))
    counts = per_axis[0]
    for other in per_axis[1:]:
        counts = counts[..., None] * other
    return math.prod(window.kernel) / counts


def _dilated_mean(window: _Window, counts_pads: bool) -> Any:
    """Return the mean as a depthwise convolution: TensorFlow's pools know no dilations."""
    x = window.reached(0.0)
    channels = int(x.shape[-1])
    if len(window.kernel) != 2:
        raise window.node.refusal("it has dilations over three axes")
    share = np.full((*window.kernel, channels, 1), 1 / math.prod(window.kernel), np.float32)
    found = tf.nn.depthwise_conv2d(
        x, tf.constant(share), [1, 1, 1, 1], "VALID", dilations=window.dilations
    )
    if max(window.strides) > 1:
        found = found[:, :: window.strides[0], :: window.strides[1]]
    return found * _constant(_shares(window, counts_pads), x)


def _over_space(node: Node, function: Any) -> Value:
    value = node[0]
    axes = [value.place(axis) for axis in range(2, value.rank)]
    return node.value(function(value.own, axes, keepdims=True), value.order)


@operator("GlobalAveragePool")
def global_average_pool(node: Node) -> Value:
    """The mean over all places."""
    return _over_space(node, tf.reduce_mean)


@operator("GlobalMaxPool")
def global_max_pool(node: Node) -> Value:
    """The largest over all places."""
    return _over_space(node, tf.reduce_max)


@operator("LpPool")
def lp_pool(node: Node) -> Value:
    """The p-norm of each window."""
    window, power = _Window(node), node.get("p", 2)
    if max(window.dilations) > 1 or len(window.kernel) != 2:
        raise node.refusal("it has dilations, or works over three axes")
    x = tf.pow(tf.abs(window.reached(0.0)), float(power))
    sums = tf.nn.avg_pool2d(x, window.kernel, window.strides, "VALID") * float(
        math.prod(window.kernel)
    )
    return window.finished(tf.pow(sums, 1.0 / power))


@operator("GlobalLpPool")
def global_lp_pool(node: Node) -> Value:
    """The p-norm over all places."""
    power = float(node.get("p", 2))

    def norm(x: Any, axes: Sequence[int], keepdims: bool) -> Any:
        return tf.pow(tf.reduce_sum(tf.pow(tf.abs(x), power), axes, keepdims), 1 / power)

    return _over_space(node, norm)
