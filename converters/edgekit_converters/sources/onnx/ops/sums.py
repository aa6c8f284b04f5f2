"""Reductions, cumulative sums and softmax."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from edgekit_converters.sources.onnx.node import Node
from edgekit_converters.sources.onnx.ops import operator
from edgekit_converters.sources.onnx.value import Order, Value

# Since then softmax works along one axis; before, along all from that axis on.
SOFTMAX_OPSET = 13


def _l2(x: Any, axis: Any, keepdims: bool) -> Any:
    return tf.sqrt(tf.reduce_sum(tf.square(x), axis, keepdims))


def _log_sum(x: Any, axis: Any, keepdims: bool) -> Any:
    return tf.math.log(tf.reduce_sum(x, axis, keepdims))


def _log_sum_exp(x: Any, axis: Any, keepdims: bool) -> Any:
    largest = tf.stop_gradient(tf.reduce_max(x, axis, True))
    found = tf.math.log(tf.reduce_sum(tf.exp(x - largest), axis, True)) + largest
    return found if keepdims else tf.squeeze(found, axis)


REDUCTIONS: dict[str, Callable[[Any, Any, bool], Any]] = {
    "ReduceL1": lambda x, axis, keep: tf.reduce_sum(tf.abs(x), axis, keep),
    "ReduceL2": _l2,
    "ReduceLogSum": _log_sum,
    "ReduceLogSumExp": _log_sum_exp,
    "ReduceMax": tf.reduce_max,
    "ReduceMean": tf.reduce_mean,
    "ReduceMin": tf.reduce_min,
    "ReduceProd": tf.reduce_prod,
    "ReduceSum": tf.reduce_sum,
    "ReduceSumSquare": lambda x, axis, keep: tf.reduce_sum(tf.square(x), axis, keep),
}


def without_axes(order: Order, axes: set[int]) -> Order:
    """Return an order of the axes that are left, numbered anew."""
    left = sorted(axis for axis in order if axis not in axes)
    return tuple(left.index(axis) for axis in order if axis not in axes)


@operator(*REDUCTIONS)
def reduce(node: Node) -> Value:
    """No axes are all axes, or none with `noop_with_empty_axes`."""
    value = node[0]
    axes = node.ints("axes", 1)
    if not axes:
        axes = [] if node.get("noop_with_empty_axes", 0) else list(range(value.rank))
    names = {axis % value.rank for axis in axes}
    keeps = bool(node.get("keepdims", 1))
    x, function = value.own, REDUCTIONS[node.op]
    if value.dtype.kind == "b":
        function = tf.reduce_any if node.op == "ReduceMax" else tf.reduce_all
    places = sorted(value.order.index(axis) for axis in names)
    found = function(x, places, keeps)
    return node.value(found, value.order if keeps else without_axes(value.order, names))


@operator("ArgMax", "ArgMin")
def arg(node: Node) -> Value:
    """The first of several equal numbers, or the last with `select_last_index`."""
    value = node[0]
    axis = node.get("axis", 0) % value.rank
    place = value.place(axis)
    function = tf.argmax if node.op == "ArgMax" else tf.argmin
    x = value.own
    if node.get("select_last_index", 0):
        (size,) = node.fixed([value.sizes[axis]], "the size of its axis")
        found = size - 1 - function(tf.reverse(x, [place]), place)
    else:
        found = function(x, place)
    order = without_axes(value.order, {axis})
    if node.get("keepdims", 1):
        return node.value(tf.expand_dims(found, place), value.order)
    return node.value(found, order)


@operator("CumSum", "CumProd")
def cumulative(node: Node) -> Value:
    """Along one axis, from either end."""
    value = node[0]
    place = value.place(int(node.array(1, "its axis").reshape(())))
    function = tf.cumsum if node.op == "CumSum" else tf.math.cumprod
    flags = {name: bool(node.get(name, 0)) for name in ("exclusive", "reverse")}
    return node.value(function(value.own, place, **flags), value.order)


@operator("Softmax", "LogSoftmax", "Hardmax")
def softmax(node: Node) -> Value:
    """Along the last axis as it lies; another one is moved there."""
    value = node[0]
    is_new = node.opset >= SOFTMAX_OPSET
    axis = node.get("axis", -1 if is_new else 1) % max(value.rank, 1)
    if not is_new and any(size != 1 for size in value.sizes[axis + 1 :]):
        return _flat(node, value, axis)
    order = value.order
    if order[-1] != axis:
        order = (*(other for other in order if other != axis), axis)
    return node.value(_function(node)(value.tensor(order)), order)


def _flat(node: Node, value: Value, axis: int) -> Value:
    sizes = value.sizes[:axis]
    (width,) = [1]
    for size in node.fixed(value.sizes[axis:], "the size of its axes"):
        width *= size
    rows = node.batch.reshaped(value.plain, (*sizes, width))
    return node.value(node.batch.reshaped(_function(node)(rows), value.sizes))


def _function(node: Node) -> Callable[[Any], Any]:
    if node.op == "Hardmax":
        return lambda x: tf.one_hot(tf.argmax(x, -1), x.shape[-1], dtype=x.dtype)
    softmax_: Callable[[Any], Any] = tf.nn.softmax if node.op == "Softmax" else tf.nn.log_softmax
    return softmax_
