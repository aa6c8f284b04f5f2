"""Functions of one number that a format lacks, from functions that it has, to float32's precision.

Each holds for all numbers, the small ones too: what cancels near zero is written so that it does
not. https://docs.oracle.com/cd/E19957-01/806-3568/ncg_goldberg.html (theorem 4) has log1p.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import replace_node

# Below it three terms of the series are as exact as float32.
SERIES_END = 0.5
# erf(4) is 1 in float32. The fraction below is Eigen's.
ERF_END = 4.0
ERF_ABOVE = (
    *(-2.72614225801306e-10, 2.77068142495902e-08, -2.10102402082508e-06, -5.69250639462346e-05),
    *(-7.34990630326855e-04, -2.95459980854025e-03, -1.60960333262415e-02),
)
ERF_BELOW = (
    *(-1.45660718464996e-05, -2.13374055278905e-04, -1.68282697438203e-03),
    *(-7.37332916720468e-03, -1.42647390514189e-02),
)


def without(*ops: str) -> Callable[[EditableGraph], bool]:
    """Return a rewrite that replaces these operators. Raises KeyError for an unknown one."""
    functions = {op: FUNCTIONS[op] for op in ops}

    def rewrite(graph: EditableGraph) -> bool:
        found = [node for node in graph if node.op in functions]
        for node in found:
            replace_node(graph, node, functions[node.op], {node.input[0]: node.attr["T"].type})
        return bool(found)

    return rewrite


def _asin(x: Any) -> Any:
    return tf.atan2(x, tf.sqrt((1 - x) * (1 + x)))


def _acos(x: Any) -> Any:
    return tf.atan2(tf.sqrt((1 - x) * (1 + x)), x)


def _atan(x: Any) -> Any:
    return tf.atan2(x, tf.ones_like(x))


def _sinh(x: Any) -> Any:
    square = x * x
    series = x * (1 + square / 6 * (1 + square / 20 * (1 + square / 42)))
    return tf.where(tf.abs(x) < SERIES_END, series, (tf.exp(x) - tf.exp(-x)) / 2)


def _cosh(x: Any) -> Any:
    return (tf.exp(x) + tf.exp(-x)) / 2


def _tan(x: Any) -> Any:
    return tf.sin(x) / tf.cos(x)


def _log1p(x: Any) -> Any:
    sum_ = 1 + x
    is_small = tf.equal(sum_, 1)
    divisor = tf.where(is_small, tf.ones_like(x), sum_ - 1)
    # Where the sum is too large for a difference, the quotient is 1 or infinite by infinite.
    quotient = tf.where(tf.abs(x) > 1, tf.ones_like(x), x / divisor)
    return tf.where(is_small, x, tf.math.log(sum_) * quotient)


def _expm1(x: Any) -> Any:
    square = x * x
    series = x + square / 2 * (1 + x / 3 * (1 + x / 4 * (1 + x / 5 * (1 + x / 6 * (1 + x / 7)))))
    return tf.where(tf.abs(x) < SERIES_END, series, tf.exp(x) - 1)


def _asinh(x: Any) -> Any:
    size = tf.abs(x)
    # The square of what is larger is infinite; log(2 x) is as exact there.
    small = tf.minimum(size, 1e9)
    more = small + small * small / (1 + tf.sqrt(small * small + 1))
    return tf.sign(x) * (_log1p(more) + tf.math.log(tf.maximum(size, 1e9) / 1e9))


def _acosh(x: Any) -> Any:
    above = x - 1
    small = tf.minimum(above, 1e9)
    near = _log1p(small + tf.sqrt(2 * small + small * small))
    return near + tf.math.log(tf.maximum(above, 1e9) / 1e9)


def _atanh(x: Any) -> Any:
    return _log1p(2 * x / (1 - x)) / 2


def _erf(x: Any) -> Any:
    x = tf.clip_by_value(x, -ERF_END, ERF_END)
    square = x * x
    return x * _polynomial(square, ERF_ABOVE) / _polynomial(square, ERF_BELOW)


def _erfc(x: Any) -> Any:
    return 1 - tf.math.erf(x)


def _softsign(x: Any) -> Any:
    return x / (1 + tf.abs(x))


def _polynomial(x: Any, coefficients: tuple[float, ...]) -> Any:
    result = coefficients[0] * tf.ones_like(x)
    for coefficient in coefficients[1:]:
        result = result * x + coefficient
    return result


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "Acos": _acos,
    "Acosh": _acosh,
    "Asin": _asin,
    "Asinh": _asinh,
    "Atan": _atan,
    "Atanh": _atanh,
    "Cosh": _cosh,
    "Erf": _erf,
    "Erfc": _erfc,
    "Expm1": _expm1,
    "Log1p": _log1p,
    "Sinh": _sinh,
    "Softsign": _softsign,
    "Tan": _tan,
}
