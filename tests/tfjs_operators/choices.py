"""Choices between numbers, and changes of their type."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from tfjs_operators.case import SPECIAL, Case, bools, case, floats, int32, ints

raw = tf.raw_ops


def choices() -> Iterator[Case]:
    v2 = lambda c, a, b: raw.SelectV2(condition=c, t=a, e=b)  # noqa: E731
    v1 = lambda c, a, b: raw.Select(condition=c, x=a, y=b)  # noqa: E731
    for name, op in (("SelectV2", v2), ("Select", v1)):
        yield case(name, op, bools(3, 4), floats(3, 4), floats(3, 4, seed=1))
        yield case(f"{name} int", op, bools(3, 4), ints(3, 4), ints(3, 4, seed=1))
        yield case(f"{name} bool", op, bools(3, 4), bools(3, 4, seed=2), bools(3, 4, seed=1))
        yield case(f"{name} nan", op, bools(15), SPECIAL, SPECIAL[::-1].copy())
        yield case(f"{name} scalar", op, np.asarray(True), floats(3, 4), floats(3, 4, seed=1))
    yield case("SelectV2 broadcast", v2, bools(3, 1), floats(3, 4), floats(4, seed=1))
    yield case("SelectV2 broadcast cond", v2, bools(2, 3, 4), floats(4), floats(3, 1, seed=1))
    yield case("SelectV2 scalars", v2, bools(2, 3, 4), floats(), floats(seed=1))
    yield case("Select rows", v1, bools(3), floats(3, 3), floats(3, 3, seed=1))
    yield case("Select rows 3", v1, bools(3), floats(3, 3, 2), floats(3, 3, 2, seed=1))


def casts() -> Iterator[Case]:
    x = np.asarray([-2.7, -1.0, -0.5, 0.0, 0.5, 0.99, 1.0, 2.5, 100.9], np.float32)
    for source, target in itertools.product(("float32", "int32", "bool"), repeat=2):
        if source != target:
            yield case(
                f"Cast {source} {target}", lambda x, t=target: tf.cast(x, t), x.astype(source)
            )
    # An operator behind it, so that the type that is stored counts.
    yield case("Cast int float div", lambda x: tf.cast(x, tf.float32) / 2.0, ints(3, 4))
    yield case("Cast float int div", lambda x: tf.cast(x, tf.int32) // 2, x)
    yield case("Cast bool int sum", lambda x: tf.reduce_sum(tf.cast(x, tf.int32), 0), bools(3, 4))
    yield case(
        "Cast bool float sum", lambda x: tf.reduce_sum(tf.cast(x, tf.float32), 0), bools(3, 4)
    )
    yield case("Cast bool specials", lambda x: tf.cast(x, tf.bool), SPECIAL)
    for dtype in ("uint8", "int8", "int16", "uint16", "int64", "float64", "uint32"):
        yield case(f"Cast float {dtype}", lambda x, t=dtype: tf.cast(x, t), np.abs(x))
    half = np.asarray([2.75, -0.5, 1000.0], np.float32)
    yield case("Cast float float16", lambda x: tf.cast(x, tf.float16), half)
    for dtype in ("uint8", "int8", "int16", "uint16"):
        numbers = int32(300, 70000, -5, 200)
        yield case(f"Cast wraps {dtype}", lambda x, t=dtype: tf.cast(x, t), numbers)
        most = np.iinfo(dtype).max
        x, y = np.asarray([most - 5, 3, 9], dtype), np.asarray([100, 4, 9], dtype)
        yield case(f"AddV2 wraps {dtype}", lambda x, y: tf.cast(x + y, tf.int32), x, y)
        yield case(f"Sub wraps {dtype}", lambda x, y: tf.cast(y - x, tf.int32), x, y)
        yield case(f"Mul wraps {dtype}", lambda x, y: x * y, x, y)
    yield case(
        "Cast int64 large", lambda x: tf.cast(x, tf.int32), np.asarray([1, -5, 2**24 + 1], np.int64)
    )


def cases() -> Iterator[Case]:
    yield from choices()
    yield from casts()
