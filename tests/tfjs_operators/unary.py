"""Operators of one tensor, number by number."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from tfjs_operators.case import RANKS, SPECIAL, Case, bools, case, cube, floats, int32, ints, of_one

raw = tf.raw_ops
UNARY = {
    "Abs": raw.Abs,
    "Acos": raw.Acos,
    "Acosh": raw.Acosh,
    "Asin": raw.Asin,
    "Asinh": raw.Asinh,
    "Atan": raw.Atan,
    "Atanh": raw.Atanh,
    "Ceil": raw.Ceil,
    "Cos": raw.Cos,
    "Cosh": raw.Cosh,
    "Erf": raw.Erf,
    "Exp": raw.Exp,
    "Expm1": raw.Expm1,
    "Floor": raw.Floor,
    "IsFinite": raw.IsFinite,
    "IsInf": raw.IsInf,
    "IsNan": raw.IsNan,
    "Log": raw.Log,
    "Log1p": raw.Log1p,
    "Neg": raw.Neg,
    "Reciprocal": raw.Reciprocal,
    "Round": raw.Round,
    "Rsqrt": raw.Rsqrt,
    "Sigmoid": raw.Sigmoid,
    "Sign": raw.Sign,
    "Sin": raw.Sin,
    "Sinh": raw.Sinh,
    "Sqrt": raw.Sqrt,
    "Square": raw.Square,
    "Tan": raw.Tan,
    "Tanh": raw.Tanh,
}
ACTIVATIONS = {
    "Elu": raw.Elu,
    "LeakyRelu": raw.LeakyRelu,
    "Relu": raw.Relu,
    "Relu6": raw.Relu6,
    "Selu": raw.Selu,
    "Softplus": raw.Softplus,
}
# The sign of NaN is 0 in TF.js, and wasm drops NaN and loses sines far from 0.
UNLIKE_SPECIALS = {"Sign": "cpu wasm", "Cos": "wasm", "Sin": "wasm", "Relu6": "wasm"}
INTEGER_UNARY = ("Abs", "Neg", "Sign", "Square")


def cases() -> Iterator[Case]:
    x = floats(3, 4)
    for name, op in UNARY.items():
        call = of_one(op)
        y = x / 2 if name in ("Acos", "Asin", "Atanh") else x
        y = np.abs(y) + 1 if name in ("Acosh", "Log", "Log1p", "Rsqrt", "Sqrt") else y
        yield case(name, call, y)
        yield case(f"{name} specials", call, SPECIAL, skip=UNLIKE_SPECIALS.get(name, ""))
    for name, op in ACTIVATIONS.items():
        call = of_one(op, "features")
        yield case(name, call, x * 4)
        yield case(f"{name} specials", call, SPECIAL, skip=UNLIKE_SPECIALS.get(name, ""))
    for rank in RANKS:
        yield case(f"Tanh rank {rank}", lambda x: raw.Tanh(x=x), floats(*cube(rank)))
    for name in INTEGER_UNARY:
        yield case(f"{name} int", of_one(UNARY[name]), ints(3, 4))
    yield case("Relu int", lambda x: raw.Relu(features=x), ints(3, 4))
    yield case("Relu6 int", lambda x: raw.Relu6(features=x), ints(3, 4))
    yield case("LeakyRelu alpha", lambda x: raw.LeakyRelu(features=x, alpha=0.35), x)
    yield case("LeakyRelu alpha 0", lambda x: raw.LeakyRelu(features=x, alpha=0.0), x)
    yield case("Softplus far", lambda x: raw.Softplus(features=x), [-80.0, -20.0, 20.0, 80.0])
    yield case("Tanh empty", lambda x, n: raw.Tanh(x=x[: n[0]]), floats(2, 3), int32(0))
    yield case(
        "ClipByValue", lambda x: raw.ClipByValue(t=x, clip_value_min=-1.0, clip_value_max=1.5), x
    )
    yield case(
        "ClipByValue int",
        lambda x: raw.ClipByValue(t=x, clip_value_min=-3, clip_value_max=4),
        ints(3, 4),
    )
    yield case(
        "ClipByValue specials",
        lambda x: raw.ClipByValue(t=x, clip_value_min=-1.0, clip_value_max=1.5),
        SPECIAL,
        skip="wasm",
    )
    yield case(
        "ClipByValue tensors",
        lambda x, a, b: raw.ClipByValue(t=x, clip_value_min=a, clip_value_max=b),
        x,
        -np.abs(floats(3, 4, seed=3)),
        np.abs(floats(3, 4, seed=4)),
    )
    yield case("Softsign", lambda x: raw.Softsign(features=x), x)
    yield case("Rint", lambda x: raw.Rint(x=x), x)
    yield case("LogicalNot", lambda x: raw.LogicalNot(x=x), bools(3, 4))
