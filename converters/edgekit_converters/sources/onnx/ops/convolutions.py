"""Convolutions, which work channels last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from edgekit_converters.sources.onnx.node import Node
from edgekit_converters.sources.onnx.ops import operator
from edgekit_converters.sources.onnx.value import Sizes, Value, channels_last
from edgekit_runtimes.tensors import Array

Pads = list[tuple[int, int]]


def spatial(node: Node, value: Value) -> tuple[int, ...]:
    """Return the sizes of an image without batch and channels."""
    return node.fixed(value.sizes[2:], "the size of its images")


def pads_of(
    node: Node,
    sizes: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
) -> Pads:
    """Return how much an image is padded in front and behind, per axis."""
    rank = len(sizes)
    auto = node.get("auto_pad", "NOTSET")
    if auto == "VALID":
        return [(0, 0)] * rank
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        found = []
        for size, width, stride, step in zip(sizes, kernel, strides, dilations, strict=True):
            total = same_total(size, width, stride, step)
            small, large = total // 2, total - total // 2
            found.append((small, large) if auto == "SAME_UPPER" else (large, small))
        return found
    pads = node.get("pads") or [0] * (2 * rank)
    return list(zip(pads[:rank], pads[rank:], strict=True))


def same_total(size: int, width: int, stride: int, step: int) -> int:
    """Return how much TensorFlow's SAME pads an axis in all."""
    count = -(-size // stride)
    return max((count - 1) * stride + (width - 1) * step + 1 - size, 0)


def is_same(
    pads: Pads,
    sizes: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
) -> bool:
    """Return whether TensorFlow's SAME pads just so."""
    return all(
        pad == (total // 2, total - total // 2)
        for pad, total in zip(pads, map(same_total, sizes, kernel, strides, dilations), strict=True)
    )


def widened(x: Any, pads: Pads, value: float = 0.0) -> Any:
    """Return an image, channels last, with more around it; negative pads cut off."""
    if any(pad for pair in pads for pad in pair if pad < 0):
        begin = [0, *(max(-low, 0) for low, _ in pads), 0]
        cut = [0, *(max(-low, 0) + max(-high, 0) for low, high in pads), 0]
        sizes = [
            -1 if size is None else size - less for size, less in zip(x.shape, cut, strict=True)
        ]
        x = tf.slice(x, begin, sizes)
        pads = [(max(low, 0), max(high, 0)) for low, high in pads]
    if not any(pad for pair in pads for pad in pair):
        return x
    around = [(0, 0), *pads, (0, 0)]
    return tf.pad(x, around) if value == 0 else tf.pad(x, around, constant_values=value)


def in_two_axes(node: Node, x: Any, sizes: Sizes) -> Any:
    """Return a series, channels last, as an image one row high."""
    return node.batch.reshaped(x, (sizes[0], 1, sizes[2], sizes[1]))


def out_of_two_axes(node: Node, x: Any, sizes: Sizes) -> Any:
    """Return an image one row high as a series, channels last. sizes: of the series in ONNX."""
    return node.batch.reshaped(x, (sizes[0], sizes[2], sizes[1]))


@operator("Conv")
def conv(node: Node) -> Value:
    """A kernel [out, in / group, …] becomes […, in / group, out]; a depthwise one [h, w, in, m]."""
    value, rank = node[0], node[0].rank - 2
    if rank not in (1, 2, 3):
        raise node.refusal(f"it works over {rank} axes")
    sizes = spatial(node, value)
    strides = list(node.get("strides") or [1] * rank)
    dilations = list(node.get("dilations") or [1] * rank)
    kernel = _kernel(node, value)
    width = [int(size) for size in kernel.shape[2:]]
    pads = pads_of(node, sizes, width, strides, dilations)
    x = value.tensor(channels_last(value.rank))
    group = node.get("group", 1)
    if rank == 1:
        x = in_two_axes(node, x, value.sizes)
        kernel = _row(kernel)
        sizes, width, pads = (1, *sizes), [1, *width], [(0, 0), *pads]
        strides, dilations = [1, *strides], [1, *dilations]
    padding = "SAME" if is_same(pads, sizes, width, strides, dilations) else "VALID"
    if padding == "VALID":
        x = widened(x, pads)
    found = _convolved(node, x, kernel, group, strides, dilations, padding)
    bias = node.maybe(2)
    if bias is not None:
        found = tf.nn.bias_add(found, bias.own)
    if rank == 1:
        found = out_of_two_axes(node, found, node.sizes[0])
    return node.value(found, channels_last(value.rank))


def _kernel(node: Node, value: Value) -> Any:
    """Return the kernel as an array or, where it is computed, as a tensor."""
    kernel = node[1]
    node.fixed(kernel.sizes, "the size of its kernel")
    return kernel.array if kernel.array is not None else kernel.plain


def _row(kernel: Any) -> Any:
    return kernel[:, :, None] if isinstance(kernel, np.ndarray) else tf.expand_dims(kernel, 2)


def moved(kernel: Any, order: Sequence[int]) -> Any:
    """Return the transposition of an array or a tensor."""
    if isinstance(kernel, np.ndarray):
        return tf.constant(np.asarray(kernel.transpose(order), order="C"))
    return tf.transpose(kernel, order)


def _convolved(
    node: Node,
    x: Any,
    kernel: Any,
    group: int,
    strides: list[int],
    dilations: list[int],
    padding: str,
) -> Any:
    rank = len(strides)
    if rank == 3:
        return tf.nn.conv3d(
            x,
            moved(kernel, (2, 3, 4, 1, 0)),
            [1, *strides, 1],
            padding,
            dilations=[1, *dilations, 1],
        )
    channels = int(kernel.shape[1]) * group
    if group == channels and group > 1:
        return _depthwise(x, kernel, strides, dilations, padding)
    return tf.nn.conv2d(x, moved(kernel, (2, 3, 1, 0)), strides, padding, dilations=dilations)


def _depthwise(x: Any, kernel: Any, strides: list[int], dilations: list[int], padding: str) -> Any:
    # TensorFlow's own knows one stride for both axes, and none beside dilations.
    if strides[0] != strides[1] or (max(strides) > 1 and max(dilations) > 1):
        return tf.nn.conv2d(x, moved(kernel, (2, 3, 1, 0)), strides, padding, dilations=dilations)
    out, _, height, width = (int(size) for size in kernel.shape)
    channels = int(x.shape[-1])
    shape = (channels, out // channels, height, width)
    many = kernel.reshape(shape) if isinstance(kernel, np.ndarray) else tf.reshape(kernel, shape)
    turned = moved(many, (2, 3, 0, 1))
    return tf.nn.depthwise_conv2d(x, turned, [1, *strides, 1], padding, dilations=dilations)


@operator("ConvTranspose")
def conv_transpose(node: Node) -> Value:
    """A kernel [in, out / group, …] becomes […, out, in]; the padding is cut off what is made."""
    value, rank = node[0], node[0].rank - 2
    if rank not in (1, 2, 3):
        raise node.refusal(f"it works over {rank} axes")
    sizes = spatial(node, value)
    strides = list(node.get("strides") or [1] * rank)
    dilations = list(node.get("dilations") or [1] * rank)
    kernel = _dense(node, node.get("group", 1), dilations)
    width = [int(size) for size in kernel.shape[2:]]
    wanted = node.fixed(node.sizes[0][2:], "the size of its images")
    cuts = _cuts(node, sizes, width, strides, wanted)
    x = value.tensor(channels_last(value.rank))
    out_sizes: Sizes = node.sizes[0]
    if rank == 1:
        x, kernel = in_two_axes(node, x, value.sizes), kernel[:, :, None]
        sizes, width, strides = (1, *sizes), [1, *width], [1, *strides]
        wanted, cuts = (1, *wanted), [0, *cuts]
        out_sizes = (out_sizes[0], out_sizes[1], 1, out_sizes[2])
    found = _spread(node, x, kernel, sizes, strides, wanted, cuts, out_sizes)
    bias = node.maybe(2)
    if bias is not None:
        found = tf.nn.bias_add(found, bias.own)
    if rank == 1:
        found = out_of_two_axes(node, found, node.sizes[0])
    return node.value(found, channels_last(value.rank))


def _dense(node: Node, group: int, dilations: list[int]) -> Array:
    """Return the kernel without groups and dilations, filled up with zeros."""
    kernel = node.array(1, "its kernel")
    ins, outs = kernel.shape[:2]
    width = [(size - 1) * step + 1 for size, step in zip(kernel.shape[2:], dilations, strict=True)]
    dense = np.zeros((ins, outs * group, *width), kernel.dtype)
    steps = tuple(slice(None, None, step) for step in dilations)
    for number in range(group):
        rows = slice(number * (ins // group), (number + 1) * (ins // group))
        columns = slice(number * outs, (number + 1) * outs)
        dense[(rows, columns, *steps)] = kernel[rows]
    return dense


def _cuts(
    node: Node,
    sizes: Sequence[int],
    width: Sequence[int],
    strides: Sequence[int],
    wanted: Sequence[int],
) -> list[int]:
    """Return how much is cut off in front, per axis."""
    auto = node.get("auto_pad", "NOTSET")
    rank = len(sizes)
    if auto == "NOTSET" and not node.get("output_shape"):
        return list(node.get("pads") or [0] * (2 * rank))[:rank]
    more = node.get("output_padding") or [0] * rank
    totals = [
        (size - 1) * stride + extra + wide - want
        for size, stride, extra, wide, want in zip(sizes, strides, more, width, wanted, strict=True)
    ]
    if auto == "SAME_UPPER":
        return [total // 2 for total in totals]
    # Of an odd number the standard cuts the larger part off in front, unless SAME_UPPER.
    return [total - total // 2 for total in totals]


def _spread(
    node: Node,
    x: Any,
    kernel: Array,
    sizes: Sequence[int],
    strides: list[int],
    wanted: Sequence[int],
    cuts: list[int],
    out_sizes: Sizes,
) -> Any:
    rank = len(strides)
    turned = tf.constant(np.asarray(kernel.transpose((*range(2, rank + 2), 1, 0)), order="C"))
    width = kernel.shape[2:]
    function = tf.nn.conv2d_transpose if rank == 2 else tf.nn.conv3d_transpose
    is_like_same = all(
        want == size * stride and cut == same_total(want, wide, stride, 1) // 2
        for want, size, stride, cut, wide in zip(wanted, sizes, strides, cuts, width, strict=True)
    )
    if is_like_same:
        shape = node.batch.shape([out_sizes[0], *wanted, out_sizes[1]])
        return function(x, turned, shape, strides, "SAME")
    # VALID makes sizes from the kernel's last place to one step further; what is behind is zero.
    made = [
        min(max(cut + want, (size - 1) * stride + wide), size * stride + wide - 1)
        for size, stride, wide, cut, want in zip(sizes, strides, width, cuts, wanted, strict=True)
    ]
    found = function(
        x, turned, node.batch.shape([out_sizes[0], *made, out_sizes[1]]), strides, "VALID"
    )
    behind = [max(cut + want - size, 0) for cut, want, size in zip(cuts, wanted, made, strict=True)]
    found = widened(found, [(0, more) for more in behind])
    if any(cuts) or any(
        size + more != want for size, more, want in zip(made, behind, wanted, strict=True)
    ):
        found = tf.slice(found, [0, *cuts, 0], [-1, *wanted, -1])
    return found
