"""Operators that work number by number, in whatever order their largest operand lies."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from edgekit_converters.sources.onnx.node import Node, numpy_dtype
from edgekit_converters.sources.onnx.ops import operator
from edgekit_converters.sources.onnx.value import Order, Value, at, natural

SELU_ALPHA, SELU_GAMMA = 1.67326319217681884765625, 1.05070102214813232421875
GELU_SLOPE, GELU_CUBE = math.sqrt(2 / math.pi), 0.044715
RELU6_LIMIT = 6.0


def aligned(node: Node, values: Sequence[Value]) -> tuple[Order, list[Any]]:
    """Return the order of the largest operand, and all operands in it, ready to be broadcast."""
    rank = len(node.sizes[0])
    padded = [value.padded(rank) for value in values]
    moving = [value for value in padded if value.array is None]
    order = natural(rank)
    if moving:
        order = max(moving, key=lambda value: math.prod(at(value.sizes, True))).order
    return order, [_operand(value, order) for value in padded]


def _operand(value: Value, order: Order) -> Any:
    if value.array is None:
        return value.tensor(order)
    array = value.array.transpose(order)
    # A bias of one axis fuses into what is before it; one of four does not.
    first = next((axis for axis, size in enumerate(array.shape) if size != 1), array.ndim)
    return tf.constant(np.asarray(array.reshape(array.shape[first:]), order="C"))


def unary(function: Callable[[Any], Any]) -> Callable[[Node], Value]:
    """Return the operator that applies a function to each number."""

    def apply(node: Node) -> Value:
        value = node[0]
        return node.value(function(value.own), value.order)

    return apply


def binary(function: Callable[[Any, Any], Any]) -> Callable[[Node], Value]:
    """Return the operator that applies a function to each pair of numbers."""

    def apply(node: Node) -> Value:
        order, (left, right) = aligned(node, [node[0], node[1]])
        return node.value(function(left, right), order)

    return apply


def _reciprocal(x: Any) -> Any:
    """Return 1 / x. Trap: it becomes a Div in TFLite, whose int8 one dies; Rsqrt does not."""
    return tf.math.rsqrt(x.op.inputs[0]) if x.op.type == "Sqrt" else tf.math.reciprocal(x)


UNARY: dict[str, Callable[[Any], Any]] = {
    "Abs": tf.abs,
    "Acos": tf.acos,
    "Acosh": tf.acosh,
    "Asin": tf.asin,
    "Asinh": tf.asinh,
    "Atan": tf.atan,
    "Atanh": tf.atanh,
    "BitwiseNot": tf.bitwise.invert,
    "Ceil": tf.math.ceil,
    "Cos": tf.cos,
    "Cosh": tf.cosh,
    "Erf": tf.math.erf,
    "Exp": tf.exp,
    "Floor": tf.floor,
    "HardSwish": lambda x: x * tf.nn.relu6(x + 3.0) * (1 / 6),
    "Identity": tf.identity,
    "IsNaN": tf.math.is_nan,
    "Log": tf.math.log,
    "Mish": lambda x: x * tf.tanh(tf.math.softplus(x)),
    "Neg": tf.negative,
    "Not": tf.logical_not,
    "Reciprocal": _reciprocal,
    "Relu": tf.nn.relu,
    "Round": tf.round,
    "Sigmoid": tf.sigmoid,
    "Sign": tf.sign,
    "Sin": tf.sin,
    "Sinh": tf.sinh,
    "Softplus": tf.math.softplus,
    "Softsign": lambda x: x / (1.0 + tf.abs(x)),
    "Sqrt": tf.sqrt,
    "Tan": tf.tan,
    "Tanh": tf.tanh,
}
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "Add": tf.add,
    "And": tf.logical_and,
    "BitwiseAnd": tf.bitwise.bitwise_and,
    "BitwiseOr": tf.bitwise.bitwise_or,
    "BitwiseXor": tf.bitwise.bitwise_xor,
    "Equal": tf.equal,
    "Greater": tf.greater,
    "GreaterOrEqual": tf.greater_equal,
    "Less": tf.less,
    "LessOrEqual": tf.less_equal,
    "Mul": tf.multiply,
    "Or": tf.logical_or,
    "Sub": tf.subtract,
    "Xor": tf.math.logical_xor,
}
for _name, _function in UNARY.items():
    operator(_name)(unary(_function))
for _name, _pair in BINARY.items():
    operator(_name)(binary(_pair))


@operator("Div")
def div(node: Node) -> Value:
    """Integers are cut off towards zero; what is divided by a root is multiplied by its inverse."""
    order, (left, right) = aligned(node, [node[0], node[1]])
    if node[0].dtype.kind == "f" and right.op.type == "Sqrt":
        return node.value(left * _reciprocal(right), order)
    divide = tf.raw_ops.RealDiv if node[0].dtype.kind == "f" else tf.raw_ops.Div
    return node.value(divide(x=left, y=right), order)


@operator("Mod")
def mod(node: Node) -> Value:
    """The sign is the divisor's, or with `fmod` the dividend's."""
    order, (left, right) = aligned(node, [node[0], node[1]])
    if not node.get("fmod", 0):
        return node.value(tf.math.floormod(left, right), order)
    if node[0].dtype.kind != "f":
        left, right = tf.cast(left, tf.int64), tf.cast(right, tf.int64)
    found = tf.math.sign(left) * tf.math.floormod(tf.abs(left), tf.abs(right))
    return node.value(tf.cast(found, node[0].dtype), order)


@operator("Pow")
def pow_(node: Node) -> Value:
    """The result has the base's dtype."""
    dtype = node[0].dtype
    order, (left, right) = aligned(node, [node[0], node[1]])
    exponent = node[1].array
    if exponent is not None and exponent.size == 1 and dtype.kind == "f":
        simple = {2.0: tf.square, 0.5: tf.sqrt, -0.5: tf.math.rsqrt, 1.0: tf.identity}
        function = simple.get(float(exponent.reshape(())))
        if function and node[1].rank <= node[0].rank:
            return node.value(function(left), order)
    wide = tf.float64 if "f" in (dtype.kind, node[1].dtype.kind) and dtype.kind != "f" else dtype
    return node.value(tf.cast(tf.pow(tf.cast(left, wide), tf.cast(right, wide)), dtype), order)


@operator("BitShift")
def bit_shift(node: Node) -> Value:
    """Shift by as many bits as the second operand says."""
    is_left = node.get("direction") == "LEFT"
    function = tf.bitwise.left_shift if is_left else tf.bitwise.right_shift
    return binary(function)(node)


def _folded(function: Callable[[Any, Any], Any], share: bool = False) -> Callable[[Node], Value]:
    def apply(node: Node) -> Value:
        values = [value for value in node.inputs if value is not None]
        order, tensors = aligned(node, values)
        found = tensors[0]
        for tensor in tensors[1:]:
            found = function(found, tensor)
        if share:
            found = found * (1.0 / len(tensors))
        return node.value(tf.identity(found) if len(tensors) == 1 else found, order)

    return apply


operator("Max")(_folded(tf.maximum))
operator("Min")(_folded(tf.minimum))
operator("Sum")(_folded(tf.add))
operator("Mean")(_folded(tf.add, share=True))


@operator("Where")
def where(node: Node) -> Value:
    """Choose by a condition."""
    order, (condition, left, right) = aligned(node, [node[0], node[1], node[2]])
    return node.value(tf.where(condition, left, right), order)


@operator("Clip")
def clip(node: Node) -> Value:
    """Both limits are optional; those of a ReLU and a ReLU6 are written as such."""
    value = node[0]
    low, high = _limit(node, "min", 1), _limit(node, "max", 2)
    x = value.own
    if value.dtype.kind == "f" and _is(low, 0.0):
        if high is None or (not isinstance(high, Value) and high >= np.finfo(value.dtype).max):
            return node.value(tf.nn.relu(x), value.order)
        if _is(high, RELU6_LIMIT):
            return node.value(tf.nn.relu6(x), value.order)
    for limit, function in ((low, tf.maximum), (high, tf.minimum)):
        if limit is not None:
            other = limit.own if isinstance(limit, Value) else np.asarray(limit, value.dtype)
            x = function(x, other)
    return node.value(tf.identity(x) if x is value.own else x, value.order)


def _limit(node: Node, name: str, place: int) -> Any:
    value = node.maybe(place)
    if value is None:
        return node.get(name)
    return value if value.array is None else value.array.reshape(())[()]


def _is(limit: Any, number: float) -> bool:
    return limit is not None and not isinstance(limit, Value) and float(limit) == number


@operator("Cast", "CastLike")
def cast(node: Node) -> Value:
    """Booleans are true where a number is not zero; floats are cut off towards zero."""
    wanted = node[1].dtype if node.op == "CastLike" else _cast_dtype(node)
    value = node[0]
    if value.dtype == wanted:
        return node.value(tf.identity(value.own), value.order)
    return node.value(tf.cast(value.own, wanted), value.order)


def _cast_dtype(node: Node) -> Any:
    wanted = numpy_dtype(node.get("to"))
    if wanted.kind not in "fiub" or wanted.itemsize > 8:
        raise node.refusal(f"it makes {wanted}, which no edge format has")
    return wanted


@operator("LeakyRelu")
def leaky_relu(node: Node) -> Value:
    """Negative numbers are multiplied by alpha."""
    alpha = node.get("alpha", 0.01)
    return unary(lambda x: tf.nn.leaky_relu(x, alpha))(node)


@operator("ThresholdedRelu")
def thresholded_relu(node: Node) -> Value:
    """Zero up to a threshold."""
    alpha = node.get("alpha", 1.0)
    return unary(lambda x: tf.where(x > alpha, x, tf.zeros_like(x)))(node)


@operator("Elu")
def elu(node: Node) -> Value:
    """Exponential below zero."""
    alpha = node.get("alpha", 1.0)
    if alpha == 1.0:
        return unary(tf.nn.elu)(node)
    return unary(lambda x: tf.nn.relu(x) + alpha * (tf.exp(tf.minimum(x, 0.0)) - 1.0))(node)


@operator("Celu")
def celu(node: Node) -> Value:
    """Exponential below zero, with a continuous slope."""
    alpha = node.get("alpha", 1.0)
    if alpha == 1.0:
        return unary(tf.nn.elu)(node)
    return unary(
        lambda x: tf.nn.relu(x) + alpha * (tf.exp(tf.minimum(x, 0.0) * (1.0 / alpha)) - 1.0)
    )(node)


@operator("Selu")
def selu(node: Node) -> Value:
    """Exponential below zero, scaled."""
    alpha, gamma = node.get("alpha", SELU_ALPHA), node.get("gamma", SELU_GAMMA)
    return unary(
        lambda x: gamma * tf.nn.relu(x) + (gamma * alpha) * (tf.exp(tf.minimum(x, 0.0)) - 1.0)
    )(node)


@operator("HardSigmoid")
def hard_sigmoid(node: Node) -> Value:
    """A line, clipped to 0 and 1."""
    alpha, beta = node.get("alpha", 0.2), node.get("beta", 0.5)
    if math.isclose(alpha, 1 / RELU6_LIMIT, rel_tol=1e-6) and beta == 1 / 2:
        return unary(lambda x: tf.nn.relu6(x + 3.0) * (1 / RELU6_LIMIT))(node)
    return unary(lambda x: tf.minimum(tf.maximum(x * alpha + beta, 0.0), 1.0))(node)


@operator("Gelu")
def gelu(node: Node) -> Value:
    """Exact, or by tanh."""
    is_approximate = node.get("approximate", "none") == "tanh"
    return unary(lambda x: tf.nn.gelu(x, approximate=is_approximate))(node)


@operator("Swish")
def swish(node: Node) -> Value:
    """X sigmoid(alpha x)."""
    alpha = node.get("alpha", 1.0)
    return unary(lambda x: x * tf.sigmoid(x if alpha == 1.0 else alpha * x))(node)


@operator("Shrink")
def shrink(node: Node) -> Value:
    """Numbers near zero become zero, others move towards it by `bias`."""
    bias, limit = node.get("bias", 0.0), node.get("lambd", 0.5)
    dtype = node[0].dtype
    bias, limit = np.asarray(bias, dtype), np.asarray(limit, dtype)

    def apply(x: Any) -> Any:
        outer = tf.where(x > limit, x - bias, tf.zeros_like(x))
        return tf.where(x < -limit, x + bias, outer)

    return unary(apply)(node)


@operator("PRelu")
def prelu(node: Node) -> Value:
    """Negative numbers are multiplied by a slope of their own."""
    order, (x, slope) = aligned(node, [node[0], node[1]])
    return node.value(tf.nn.relu(x) + slope * tf.minimum(x, tf.zeros([], x.dtype)), order)


@operator("IsInf")
def is_inf(node: Node) -> Value:
    """Either sign may be left out."""
    up, down = node.get("detect_positive", 1), node.get("detect_negative", 1)

    def apply(x: Any) -> Any:
        found = tf.math.is_inf(x)
        if up and down:
            return found
        return tf.logical_and(found, x > 0 if up else x < 0) if up or down else found & False

    return unary(apply)(node)


@operator("Dropout")
def dropout(node: Node) -> Sequence[Value]:
    """Nothing is dropped when a model is used."""
    mode = node.maybe(2)
    if mode is not None and (mode.array is None or mode.array.any()):
        raise node.refusal("it is being trained")
    value = node[0]
    kept = node.value(tf.identity(value.own), value.order)
    if not node.is_read(1):
        return [kept]
    mask = tf.ones_like(value.own, tf.bool)
    return [kept, node.value(mask, value.order, 1)]
