"""Operators that move, cut and join tensors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from edgekit_converters.sources.onnx.node import Node
from edgekit_converters.sources.onnx.ops import operator
from edgekit_converters.sources.onnx.uses import Use
from edgekit_converters.sources.onnx.value import Order, Value, at, channels_last, natural


@operator("Reshape", "Flatten", "Squeeze", "Unsqueeze")
def reshape(node: Node) -> Value:
    """What comes out is known: onnxruntime says its size."""
    return node[0].reshaped(node.sizes[0])


@operator("Transpose")
def transpose(node: Node) -> Value:
    """A relabelling beside convolutions; elsewhere it is done where it stands.

    Fully lazy transpositions meet MatMul and LayerNorm late, and gave 22 instead of 14 on a ViT.
    """
    value = node[0]
    permutation = tuple(node.get("perm") or reversed(range(value.rank)))
    if value.origin is not None:
        source, before = value.origin
        if tuple(before[axis] for axis in permutation) == natural(value.rank):
            return source
    relabelled = value.relabelled(permutation)
    if value.array is not None or relabelled.is_moved_freely(natural(value.rank)):
        return relabelled
    if value.order != natural(value.rank) or _may_wait(node, relabelled, permutation):
        return relabelled
    moved = tf.transpose(value.own, permutation)
    return Value(node.batch, relabelled.sizes, moved, origin=(value, permutation))


def _may_wait(node: Node, relabelled: Value, permutation: Order) -> bool:
    """Return whether what reads a transposition takes it as it lies, or only a part of it."""
    rank = relabelled.rank
    if Use.IMAGE in node.uses and relabelled.order == channels_last(rank):
        return True
    swap = (*range(rank - 2), rank - 1, rank - 2)
    if Use.PRODUCT in node.uses and permutation == swap:
        return True
    # One of several along the first axis, as query, key and value are: what is left lies well.
    left = [axis for axis in relabelled.order if axis and relabelled.sizes[axis] != 1]
    return Use.PARTS in node.uses and left == sorted(left)


def order_of(values: Sequence[Value], rank: int) -> Order:
    """Return the order of the largest of values that is not constant."""
    moving = [value for value in values if value.array is None]
    if not moving:
        return natural(rank)
    return max(moving, key=lambda value: math.prod(at(value.sizes, True))).order


@operator("Concat")
def concat(node: Node) -> Value:
    """Empty tensors join nothing."""
    values = [value for value in node.inputs if value is not None]
    axis = node.get("axis", 1) % values[0].rank
    values = [value for value in values if value.sizes[axis] != 0] or values[:1]
    order = order_of(values, values[0].rank)
    tensors = [value.tensor(order) for value in values]
    found = tensors[0] if len(tensors) == 1 else tf.concat(tensors, order.index(axis))
    return node.value(found, order)


@operator("Split")
def split(node: Node) -> Sequence[Value]:
    """What each part is, onnxruntime says."""
    value = node[0]
    axis = node.get("axis", 0) % value.rank
    widths = list(node.fixed([sizes[axis] for sizes in node.sizes], "the size of a part"))
    place = value.place(axis)
    if len(set(widths)) == 1:
        parts = tf.split(value.own, len(widths), place)
    else:
        parts = tf.split(value.own, widths, place)
    return [node.value(part, value.order, number) for number, part in enumerate(parts)]


@operator("Slice")
def slice_(node: Node) -> Value:
    """Without steps a Slice, which TFLite runs faster than a StridedSlice."""
    value = node[0]
    starts = node.ints("starts", 1) or []
    ends = node.ints("ends", 2) or []
    axes = node.ints("axes", 3) or list(range(len(starts)))
    steps = node.ints("steps", 4) or [1] * len(starts)
    slices = [slice(None)] * value.rank
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        axis %= value.rank
        slices[axis] = slice(start, end, step)
    return node.value(cut(node, value, slices), value.order)


def cut(node: Node, value: Value, slices: Sequence[slice]) -> Any:
    """Return the part of a value, in its own order, that slices of its ONNX axes name."""
    begin, width, steps, turned = [], [], [], []
    for place, axis in enumerate(value.order):
        size = value.sizes[axis]
        part = slices[axis]
        if part == slice(None):
            start, count, step = 0, size, 1
        elif isinstance(size, int):
            places = range(size)[part]
            start, count, step = places.start, len(places), places.step
            if step < 0:
                # What is read backwards is turned first.
                turned.append(place)
                start, step = size - 1 - start, -step
        elif part.step in (None, 1) and not part.start and (part.stop or 0) >= np.iinfo("i4").max:
            start, count, step = 0, size, 1
        else:
            return _cut_batch(node, value, slices)
        begin.append(start if count else 0)
        width.append(count)
        steps.append(step)
    x = value.own
    if turned:
        x = tf.reverse(x, turned)
    if max(steps, default=1) > 1:
        ends = [
            start + (count - 1) * step + 1 if isinstance(count, int) else None
            for start, count, step in zip(begin, width, steps, strict=True)
        ]
        parts = [
            slice(None) if end is None else slice(start, end, step)
            for start, end, step in zip(begin, ends, steps, strict=True)
        ]
        return x[tuple(parts)]
    wanted = [count if isinstance(count, int) else -1 for count in width]
    if not any(begin) and all(
        count == value.sizes[axis] for count, axis in zip(width, value.order, strict=True)
    ):
        return tf.identity(x)
    return tf.slice(x, begin, wanted)


def _cut_batch(node: Node, value: Value, slices: Sequence[slice]) -> Any:
    parts = tuple(slices[axis] for axis in value.order)
    limit = np.iinfo(np.int32).max
    return value.own[
        tuple(
            slice(part.start, None if (part.stop or 0) >= limit else part.stop, part.step)
            for part in parts
        )
    ]


@operator("Pad")
def pad(node: Node) -> Value:
    """Negative numbers cut off; `edge` repeats the outermost number."""
    value = node[0]
    numbers = node.ints("pads", 1) or []
    axes = node.ints("axes", 3) or list(range(value.rank))
    fill = node.maybe(2)
    constant = node.get("value", 0.0) if fill is None else node.array(2, "its value").reshape(())
    pairs = [(0, 0)] * value.rank
    half = len(numbers) // 2
    for axis, low, high in zip(axes, numbers[:half], numbers[half:], strict=True):
        pairs[axis % value.rank] = (low, high)
    mode = node.get("mode", "constant")
    x = value.own
    if any(pad < 0 for pair in pairs for pad in pair):
        slices = [slice(max(-low, 0), -max(-high, 0) or None) for low, high in pairs]
        slices = [slice(None) if s == slice(0, None) else s for s in slices]
        x = cut(node, value, slices)
        pairs = [(max(low, 0), max(high, 0)) for low, high in pairs]
    around = [pairs[axis] for axis in value.order]
    if not any(pad for pair in around for pad in pair):
        return node.value(tf.identity(x), value.order)
    if mode == "constant":
        number = np.asarray(constant, value.dtype)
        found = tf.pad(x, around) if number == 0 else tf.pad(x, around, constant_values=number)
        return node.value(found, value.order)
    if mode == "reflect":
        return node.value(tf.pad(x, around, "REFLECT"), value.order)
    return node.value(_repeated(node, x, around, mode), value.order)


def _repeated(node: Node, x: Any, around: Sequence[tuple[int, int]], mode: str) -> Any:
    """Return a tensor with its edges, or its other end, repeated around it."""
    for axis, (low, high) in enumerate(around):
        if not (low or high):
            continue
        size = x.shape[axis]
        if size is None:
            raise node.refusal("it pads the batch")
        places = np.arange(-low, size + high)
        places = places % size if mode == "wrap" else places.clip(0, size - 1)
        x = tf.gather(x, places.astype(np.int32), axis=axis)
    return x


@operator("Expand")
def expand(node: Node) -> Value:
    """Repeat axes of size 1."""
    value = node[0].padded(len(node.sizes[0]))
    if value.sizes == node.sizes[0]:
        return node.value(tf.identity(value.own), value.order)
    shape = node.batch.shape(tuple(node.sizes[0][axis] for axis in value.order))
    return node.value(tf.broadcast_to(value.own, shape), value.order)


@operator("Tile")
def tile(node: Node) -> Value:
    """How often, onnxruntime says."""
    value = node[0]
    times = node.ints("repeats", 1) or []
    return node.value(tf.tile(value.own, [times[axis] for axis in value.order]), value.order)


@operator("DepthToSpace")
def depth_to_space(node: Node) -> Value:
    """In the order of TensorFlow (DCR), or column by row (CRD)."""
    value, block = node[0], node.get("blocksize")
    x = value.tensor(channels_last(value.rank))
    if node.get("mode", "DCR") == "CRD":
        (channels,) = node.fixed([value.sizes[1]], "its number of channels")
        order = np.arange(channels, dtype=np.int32).reshape(-1, block, block)
        x = tf.gather(x, order.transpose(1, 2, 0).reshape(-1), axis=3)
    return node.value(tf.nn.depth_to_space(x, block), channels_last(value.rank))


@operator("SpaceToDepth")
def space_to_depth(node: Node) -> Value:
    """As TensorFlow's."""
    x = node[0].tensor(channels_last(4))
    return node.value(tf.nn.space_to_depth(x, node.get("blocksize")), channels_last(4))


@operator("ReverseSequence")
def reverse_sequence(node: Node) -> Value:
    """Turn each sample around up to a length of its own."""
    value = node[0]
    found = tf.reverse_sequence(
        value.plain,
        node[1].plain,
        seq_axis=node.get("time_axis", 0),
        batch_axis=node.get("batch_axis", 1),
    )
    return node.value(found)


@operator("Trilu")
def trilu(node: Node) -> Value:
    """Keep one triangle of each matrix."""
    value = node[0]
    k = int(node.array(1, "its diagonal").reshape(())) if node.maybe(1) is not None else 0
    rows, columns = node.fixed(value.sizes[-2:], "its size")
    ones = np.ones((rows, columns), bool)
    kept = np.triu(ones, k) if node.get("upper", 1) else np.tril(ones, k)
    x = value.plain
    if value.dtype.kind == "b":
        return node.value(tf.logical_and(x, kept))
    return node.value(tf.where(kept, x, tf.zeros_like(x)))
