"""Operators of two tensors, number by number."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from tfjs_operators.case import RANKS, SPECIAL, Case, bools, case, cube, floats, int32, ints, of_two

raw = tf.raw_ops
BINARY = {
    "AddV2": raw.AddV2,
    "Add": raw.Add,
    "Sub": raw.Sub,
    "Mul": raw.Mul,
    "Maximum": raw.Maximum,
    "Minimum": raw.Minimum,
    "SquaredDifference": raw.SquaredDifference,
    "FloorDiv": raw.FloorDiv,
    "FloorMod": raw.FloorMod,
}
# A remainder of infinity is NaN in TF.js, and wasm drops NaN.
UNLIKE_SPECIALS = {"FloorMod": "cpu wasm", "Maximum": "wasm", "Minimum": "wasm"}
FLOAT_BINARY = {
    "RealDiv": raw.RealDiv,
    "Div": raw.Div,
    "DivNoNan": raw.DivNoNan,
}
COMPARISONS = {
    "Equal": raw.Equal,
    "NotEqual": raw.NotEqual,
    "Greater": raw.Greater,
    "GreaterEqual": raw.GreaterEqual,
    "Less": raw.Less,
    "LessEqual": raw.LessEqual,
}


def cases() -> Iterator[Case]:
    a, b = floats(3, 4), floats(3, 4, seed=1)
    b[abs(b) < 0.1] = 0.5
    i, j = ints(3, 4), ints(3, 4, seed=1)
    j[j == 0] = 4
    pairs = np.array(list(itertools.product(SPECIAL, SPECIAL)), np.float32)
    for name, op in (BINARY | FLOAT_BINARY).items():
        call = of_two(op)
        yield case(name, call, a, b)
        unlike = UNLIKE_SPECIALS.get(name, "")
        yield case(f"{name} specials", call, pairs[:, 0], pairs[:, 1], skip=unlike)
        yield case(f"{name} broadcast", call, a, b[:1, :])
        yield case(f"{name} broadcast both", call, floats(2, 1, 3, 1), b[:, :2])
        if name in BINARY:
            yield case(f"{name} int", call, i, j)
            if name != "SquaredDifference":
                # On wasm and webgl integers are divided as float32.
                inexact = "wasm webgl" if name == "FloorDiv" else "webgl"
                yield case(
                    f"{name} large int",
                    call,
                    int32(2**24 + 1, 2**30 + 3, -(2**30) - 1),
                    int32(1, 3, 7),
                    skip=inexact,
                )
    for rank in RANKS:
        yield case(
            f"AddV2 rank {rank}",
            lambda x, y: raw.AddV2(x=x, y=y),
            floats(*cube(rank)),
            floats(*cube(rank), seed=1),
        )
    yield case("AddV2 scalar", lambda x, y: raw.AddV2(x=x, y=y), floats(*cube(4)), floats())
    yield case(
        "Mul overflow",
        lambda x, y: raw.Mul(x=x, y=y),
        int32(123456789, -987654321),
        int32(1001, 1003),
    )
    yield case(
        "AddV2 overflow", lambda x, y: raw.AddV2(x=x, y=y), int32(2**31 - 1, -(2**31)), int32(1, -1)
    )
    yield case("Pow", lambda x, y: raw.Pow(x=x, y=y), np.abs(a), b)
    yield case("Pow whole", lambda x, y: raw.Pow(x=x, y=y), a, np.round(b))
    yield case("Pow specials", lambda x, y: raw.Pow(x=x, y=y), pairs[:, 0], pairs[:, 1])
    yield case("Pow int", lambda x, y: raw.Pow(x=x, y=y), i, np.abs(j) % 4)
    yield case("Atan2", lambda x, y: raw.Atan2(y=x, x=y), a, b)
    yield case("Atan2 specials", lambda x, y: raw.Atan2(y=x, x=y), pairs[:, 0], pairs[:, 1])
    for name, op in (("Xlogy", raw.Xlogy), ("Xlog1py", raw.Xlog1py), ("Xdivy", raw.Xdivy)):
        yield case(name, of_two(op), np.round(a), np.abs(b))
        yield case(f"{name} zeros", of_two(op), [0.0, 0.0, 2.0], [0.0, 3.0, 1.0])
    yield case("AddN", lambda x, y, z: raw.AddN(inputs=[x, y, z]), a, b, a * b)
    yield case("AddN one", lambda x: raw.AddN(inputs=[x]), a)
    yield case("AddN int", lambda x, y: raw.AddN(inputs=[x, y]), i, j)
    yield case("BiasAdd", lambda x, y: raw.BiasAdd(value=x, bias=y), floats(2, 3, 4, 5), floats(5))
    yield case("BiasAdd rank 2", lambda x, y: raw.BiasAdd(value=x, bias=y), floats(2, 5), floats(5))
    yield case(
        "BiasAdd rank 5",
        lambda x, y: raw.BiasAdd(value=x, bias=y),
        floats(2, 2, 2, 2, 5),
        floats(5),
    )
    for name, op in COMPARISONS.items():
        call = of_two(op)
        yield case(name, call, np.round(a), np.round(b))
        yield case(f"{name} specials", call, pairs[:, 0], pairs[:, 1])
        yield case(f"{name} int", call, i, ints(3, 4, seed=2))
        yield case(
            f"{name} large int",
            call,
            int32(2**24, 2**24 + 1, 2**30 + 1),
            int32(2**24 + 1, 2**24 + 1, 2**30),
            skip="webgl",
        )
        yield case(f"{name} broadcast", call, np.round(a), np.round(b[:, :1]))
    for name in ("Equal", "NotEqual"):
        yield case(
            f"{name} bool",
            of_two(COMPARISONS[name]),
            bools(3, 4),
            bools(3, 4, seed=1),
        )
    yield case(
        "LogicalAnd", lambda x, y: raw.LogicalAnd(x=x, y=y), bools(3, 4), bools(3, 4, seed=1)
    )
    yield case(
        "LogicalAnd broadcast", lambda x, y: raw.LogicalAnd(x=x, y=y), bools(3, 4), bools(4, seed=1)
    )
    yield case("LogicalOr", lambda x, y: raw.LogicalOr(x=x, y=y), bools(3, 4), bools(3, 4, seed=1))
