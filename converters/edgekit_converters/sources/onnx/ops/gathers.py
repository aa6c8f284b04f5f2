"""Operators that pick and place numbers by their indices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from edgekit_converters.sources.onnx.node import Node
from edgekit_converters.sources.onnx.ops import operator
from edgekit_converters.sources.onnx.ops.sums import without_axes
from edgekit_converters.sources.onnx.value import Free, Value, natural


def places(node: Node, place: int, size: Any) -> Any:
    """Return an input of indices, those from the end (-1) counted from the front."""
    value = node[place]
    if value.array is not None:
        array = value.array
        if (array < 0).any():
            if isinstance(size, Free):
                raise node.refusal("it counts from the end of the batch")
            array = np.where(array < 0, array + size, array)
        return tf.constant(array.astype(np.int32))
    indices = value.plain
    if isinstance(size, Free):
        return indices
    # TensorFlow refuses negative indices, and models that compute them may mean them.
    return tf.where(indices < 0, indices + tf.cast(size, indices.dtype), indices)


@operator("Gather")
def gather(node: Node) -> Value:
    """One axis becomes the axes of the indices; a single constant one is a slice."""
    value, indices = node[0], node[1]
    axis = node.get("axis", 0) % value.rank
    size = value.sizes[axis]
    if indices.array is not None and indices.array.size == 1 and isinstance(size, int):
        number = int(indices.array.reshape(())) % size
        begin, width = [0] * value.rank, [-1] * value.rank
        place = value.place(axis)
        begin[place], width[place] = number, 1
        found = tf.slice(value.own, begin, width)
        kept = Value(
            node.batch,
            [1 if other == axis else s for other, s in enumerate(value.sizes)],
            found,
            value.order,
        )
        return kept.reshaped(node.sizes[0])
    if indices.rank == 1:
        found = tf.gather(value.own, places(node, 1, size), axis=value.place(axis))
        return node.value(found, value.order)
    if indices.rank == 0:
        found = tf.gather(value.own, places(node, 1, size), axis=value.place(axis))
        return node.value(found, without_axes(value.order, {axis}))
    return node.value(tf.gather(value.plain, places(node, 1, size), axis=axis))


def _grid(node: Node, sizes: Sequence[Any], indices: Any, axis: int) -> Any:
    """Return indices along one axis as full coordinates [..., rank]."""
    rank = len(sizes)
    coordinates = []
    shape = node.batch.shape(sizes)
    for other in range(rank):
        if other == axis:
            coordinates.append(tf.cast(indices, tf.int32))
            continue
        line = tf.range(shape[other], dtype=tf.int32)
        line = tf.reshape(line, [-1 if n == other else 1 for n in range(rank)])
        coordinates.append(tf.broadcast_to(line, shape))
    return tf.stack(coordinates, axis=-1)


@operator("GatherElements")
def gather_elements(node: Node) -> Value:
    """Each number of the output by an index of its own along one axis."""
    value, indices = node[0], node[1]
    axis = node.get("axis", 0) % value.rank
    found = places(node, 1, value.sizes[axis])
    grid = _grid(node, indices.sizes, found, axis)
    return node.value(tf.gather_nd(value.plain, grid))


@operator("GatherND")
def gather_nd(node: Node) -> Value:
    """By full coordinates, after some shared axes."""
    batch_dims = node.get("batch_dims", 0)
    value = node[0]
    indices = _from_front(node, 1, value.sizes[batch_dims:])
    return node.value(tf.gather_nd(value.plain, indices, batch_dims=batch_dims))


def _from_front(node: Node, place: int, sizes: Sequence[Any]) -> Any:
    """Return full coordinates, those from the end counted from the front."""
    value = node[place]
    (depth,) = node.fixed([value.sizes[-1]], "the number of its coordinates")
    limits = sizes[:depth]
    if value.array is not None and not (value.array < 0).any():
        return tf.constant(value.array.astype(np.int32))
    indices = tf.cast(value.plain, tf.int32)
    if any(isinstance(size, Free) for size in limits):
        return indices
    return tf.where(indices < 0, indices + np.array(limits, np.int32), indices)


def _scattered(node: Node, x: Any, indices: Any, updates: Any) -> Any:
    function = {
        "none": tf.tensor_scatter_nd_update,
        "add": tf.tensor_scatter_nd_add,
        "max": tf.tensor_scatter_nd_max,
        "min": tf.tensor_scatter_nd_min,
    }.get(node.get("reduction", "none"))
    if function is None:
        raise node.refusal(f"it reduces by '{node.get('reduction')}'")
    return function(x, indices, updates)


@operator("ScatterND")
def scatter_nd(node: Node) -> Value:
    """Place slices at full coordinates."""
    indices = _from_front(node, 1, node[0].sizes)
    return node.value(_scattered(node, node[0].plain, indices, node[2].plain))


@operator("ScatterElements", "Scatter")
def scatter_elements(node: Node) -> Value:
    """Place each number by an index of its own along one axis."""
    value, indices = node[0], node[1]
    axis = node.get("axis", 0) % value.rank
    grid = _grid(node, indices.sizes, places(node, 1, value.sizes[axis]), axis)
    return node.value(_scattered(node, value.plain, grid, node[2].plain))


@operator("OneHot")
def one_hot(node: Node) -> Value:
    """Numbers beyond the depth give no one; negative ones count from its end."""
    depth = int(node.array(1, "its depth").reshape(()))
    axis = node.get("axis", -1) % (node[0].rank + 1)
    indices = tf.cast(node[0].plain, tf.int32)
    indices = tf.where(indices < 0, indices + depth, indices)
    values = node[2]
    if values.array is not None:
        off, on = (np.asarray(number) for number in values.array)
        return node.value(tf.one_hot(indices, depth, on, off, axis, dtype=values.dtype))
    on, off = values.plain[1], values.plain[0]
    return node.value(tf.one_hot(indices, depth, on, off, axis))


@operator("TopK")
def top_k(node: Node) -> Sequence[Value]:
    """The largest, or smallest, along an axis, sorted."""
    value = node[0]
    (count,) = node.ints("k", 1) or [1]
    axis = node.get("axis", -1) % value.rank
    order = (*(other for other in natural(value.rank) if other != axis), axis)
    x = value.tensor(order)
    is_largest = bool(node.get("largest", 1))
    if value.dtype.kind != "f" and not is_largest:
        raise node.refusal("it looks for the smallest of integers")
    found, numbers = tf.math.top_k(x if is_largest else -x, count)
    values = found if is_largest else -found
    return [node.value(values, order), node.value(tf.cast(numbers, tf.int64), order, 1)]


@operator("NonZero")
def non_zero(node: Node) -> Value:
    """The coordinates of what is not zero, one row per axis."""
    value = node[0]
    return node.value(tf.transpose(tf.where(tf.not_equal(value.plain, tf.zeros([], value.dtype)))))


@operator("Compress")
def compress(node: Node) -> Value:
    """Keep what a list of booleans says."""
    axis, value = node.get("axis"), node[0]
    kept = node.array(1, "its condition").astype(bool)
    x = tf.reshape(value.plain, [-1]) if axis is None else value.plain
    return node.value(tf.gather(x, np.flatnonzero(kept).astype(np.int32), axis=axis or 0))
