"""Operators that work number by number."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from tfjs_operators.case import RANKS, SPECIAL, Case, bools, case, cube, floats, int32, ints

raw = tf.raw_ops

UNARY = {
    "Abs": raw.Abs, "Acos": raw.Acos, "Acosh": raw.Acosh, "Asin": raw.Asin, "Asinh": raw.Asinh,
    "Atan": raw.Atan, "Atanh": raw.Atanh, "Ceil": raw.Ceil, "Cos": raw.Cos, "Cosh": raw.Cosh,
    "Erf": raw.Erf, "Exp": raw.Exp, "Expm1": raw.Expm1, "Floor": raw.Floor, "IsFinite": raw.IsFinite,
    "IsInf": raw.IsInf, "IsNan": raw.IsNan, "Log": raw.Log, "Log1p": raw.Log1p, "Neg": raw.Neg,
    "Reciprocal": raw.Reciprocal, "Round": raw.Round, "Rsqrt": raw.Rsqrt, "Sigmoid": raw.Sigmoid,
    "Sign": raw.Sign, "Sin": raw.Sin, "Sinh": raw.Sinh, "Sqrt": raw.Sqrt, "Square": raw.Square,
    "Tan": raw.Tan, "Tanh": raw.Tanh,
}
ACTIVATIONS = {
    "Elu": raw.Elu, "LeakyRelu": raw.LeakyRelu, "Relu": raw.Relu, "Relu6": raw.Relu6,
    "Selu": raw.Selu, "Softplus": raw.Softplus,
}
INTEGER_UNARY = ("Abs", "Neg", "Sign", "Square")
BINARY = {
    "AddV2": raw.AddV2, "Add": raw.Add, "Sub": raw.Sub, "Mul": raw.Mul, "Maximum": raw.Maximum,
    "Minimum": raw.Minimum, "SquaredDifference": raw.SquaredDifference, "FloorDiv": raw.FloorDiv,
    "FloorMod": raw.FloorMod,
}
FLOAT_BINARY = {
    "RealDiv": raw.RealDiv, "Div": raw.Div, "DivNoNan": raw.DivNoNan,
}
COMPARISONS = {
    "Equal": raw.Equal, "NotEqual": raw.NotEqual, "Greater": raw.Greater,
    "GreaterEqual": raw.GreaterEqual, "Less": raw.Less, "LessEqual": raw.LessEqual,
}


def unary() -> Iterator[Case]:
    x = floats(3, 4)
    for name, op in UNARY.items():
        call = (lambda op: lambda x: op(x=x))(op)
        y = x / 2 if name in ("Acos", "Asin", "Atanh") else x
        y = np.abs(y) + 1 if name in ("Acosh", "Log", "Log1p", "Rsqrt", "Sqrt") else y
        yield case(name, call, y)
        yield case(f"{name} specials", call, SPECIAL)
    for name, op in ACTIVATIONS.items():
        call = (lambda op: lambda x: op(features=x))(op)
        yield case(name, call, x * 4)
        yield case(f"{name} specials", call, SPECIAL)
    for rank in RANKS:
        yield case(f"Tanh rank {rank}", lambda x: raw.Tanh(x=x), floats(*cube(rank)))
    for name in INTEGER_UNARY:
        yield case(f"{name} int", (lambda op: lambda x: op(x=x))(UNARY[name]), ints(3, 4))
    yield case("Relu int", lambda x: raw.Relu(features=x), ints(3, 4))
    yield case("Relu6 int", lambda x: raw.Relu6(features=x), ints(3, 4))
    yield case("LeakyRelu alpha", lambda x: raw.LeakyRelu(features=x, alpha=0.35), x)
    yield case("LeakyRelu alpha 0", lambda x: raw.LeakyRelu(features=x, alpha=0.0), x)
    yield case("Softplus far", lambda x: raw.Softplus(features=x), [-80.0, -20.0, 20.0, 80.0])
    yield case("Tanh empty", lambda x, n: raw.Tanh(x=x[: n[0]]), floats(2, 3), int32(0))
    yield case("ClipByValue", lambda x: raw.ClipByValue(t=x, clip_value_min=-1.0, clip_value_max=1.5), x)
    yield case("ClipByValue int", lambda x: raw.ClipByValue(t=x, clip_value_min=-3, clip_value_max=4), ints(3, 4))
    yield case("ClipByValue specials", lambda x: raw.ClipByValue(t=x, clip_value_min=-1.0, clip_value_max=1.5), SPECIAL)
    yield case("ClipByValue tensors", lambda x, a, b: raw.ClipByValue(t=x, clip_value_min=a, clip_value_max=b), x, -np.abs(floats(3, 4, seed=3)), np.abs(floats(3, 4, seed=4)))
    yield case("LogicalNot", lambda x: raw.LogicalNot(x=x), bools(3, 4))


def binary() -> Iterator[Case]:
    a, b = floats(3, 4), floats(3, 4, seed=1)
    b[abs(b) < 0.1] = 0.5
    i, j = ints(3, 4), ints(3, 4, seed=1)
    j[j == 0] = 4
    pairs = np.array(list(itertools.product(SPECIAL, SPECIAL)), np.float32)
    for name, op in (BINARY | FLOAT_BINARY).items():
        call = (lambda op: lambda x, y: op(x=x, y=y))(op)
        yield case(name, call, a, b)
        yield case(f"{name} specials", call, pairs[:, 0], pairs[:, 1])
        yield case(f"{name} broadcast", call, a, b[:1, :])
        yield case(f"{name} broadcast both", call, floats(2, 1, 3, 1), b[:, :2])
        if name in BINARY:
            yield case(f"{name} int", call, i, j)
            yield case(f"{name} large int", call, int32(2**24 + 1, 2**30 + 3, -(2**30) - 1), int32(1, 3, 7))
    for rank in RANKS:
        yield case(f"AddV2 rank {rank}", lambda x, y: raw.AddV2(x=x, y=y), floats(*cube(rank)), floats(*cube(rank), seed=1))
    yield case("AddV2 scalar", lambda x, y: raw.AddV2(x=x, y=y), floats(*cube(4)), floats())
    yield case("Mul overflow", lambda x, y: raw.Mul(x=x, y=y), int32(123456789, -987654321), int32(1001, 1003))
    yield case("AddV2 overflow", lambda x, y: raw.AddV2(x=x, y=y), int32(2**31 - 1, -(2**31)), int32(1, -1))
    yield case("Pow", lambda x, y: raw.Pow(x=x, y=y), np.abs(a), b)
    yield case("Pow whole", lambda x, y: raw.Pow(x=x, y=y), a, np.round(b))
    yield case("Pow specials", lambda x, y: raw.Pow(x=x, y=y), pairs[:, 0], pairs[:, 1])
    yield case("Pow int", lambda x, y: raw.Pow(x=x, y=y), i, np.abs(j) % 4)
    yield case("Atan2", lambda x, y: raw.Atan2(y=x, x=y), a, b)
    yield case("Atan2 specials", lambda x, y: raw.Atan2(y=x, x=y), pairs[:, 0], pairs[:, 1])
    yield case("AddN", lambda x, y, z: raw.AddN(inputs=[x, y, z]), a, b, a * b)
    yield case("AddN one", lambda x: raw.AddN(inputs=[x]), a)
    yield case("AddN int", lambda x, y: raw.AddN(inputs=[x, y]), i, j)
    yield case("BiasAdd", lambda x, y: raw.BiasAdd(value=x, bias=y), floats(2, 3, 4, 5), floats(5))
    yield case("BiasAdd rank 2", lambda x, y: raw.BiasAdd(value=x, bias=y), floats(2, 5), floats(5))
    yield case("BiasAdd rank 5", lambda x, y: raw.BiasAdd(value=x, bias=y), floats(2, 2, 2, 2, 5), floats(5))
    for name, op in COMPARISONS.items():
        call = (lambda op: lambda x, y: op(x=x, y=y))(op)
        yield case(name, call, np.round(a), np.round(b))
        yield case(f"{name} specials", call, pairs[:, 0], pairs[:, 1])
        yield case(f"{name} int", call, i, ints(3, 4, seed=2))
        yield case(f"{name} large int", call, int32(2**24, 2**24 + 1, 2**30 + 1), int32(2**24 + 1, 2**24 + 1, 2**30))
        yield case(f"{name} broadcast", call, np.round(a), np.round(b[:, :1]))
    for name in ("Equal", "NotEqual"):
        yield case(f"{name} bool", (lambda op: lambda x, y: op(x=x, y=y))(COMPARISONS[name]), bools(3, 4), bools(3, 4, seed=1))
    yield case("LogicalAnd", lambda x, y: raw.LogicalAnd(x=x, y=y), bools(3, 4), bools(3, 4, seed=1))
    yield case("LogicalAnd broadcast", lambda x, y: raw.LogicalAnd(x=x, y=y), bools(3, 4), bools(4, seed=1))
    yield case("LogicalOr", lambda x, y: raw.LogicalOr(x=x, y=y), bools(3, 4), bools(3, 4, seed=1))


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
            yield case(f"Cast {source} {target}", lambda x, t=target: tf.cast(x, t) , x.astype(source))
    # An operator behind it, so that the type that is stored counts.
    yield case("Cast int float div", lambda x: tf.cast(x, tf.float32) / 2.0, ints(3, 4))
    yield case("Cast float int div", lambda x: tf.cast(x, tf.int32) // 2, x)
    yield case("Cast bool int sum", lambda x: tf.reduce_sum(tf.cast(x, tf.int32), 0), bools(3, 4))
    yield case("Cast bool float sum", lambda x: tf.reduce_sum(tf.cast(x, tf.float32), 0), bools(3, 4))
    yield case("Cast bool specials", lambda x: tf.cast(x, tf.bool), SPECIAL)
    for dtype in ("uint8", "int8", "int16", "uint16", "int64", "float16", "float64", "uint32"):
        yield case(f"Cast float {dtype}", lambda x, t=dtype: tf.cast(x, t), np.abs(x))
    for dtype in ("uint8", "int8", "int16", "uint16"):
        yield case(f"Cast wraps {dtype}", lambda x, t=dtype: tf.cast(x, t), int32(300, 70000, -5, 200))
        yield case(f"Add wraps {dtype}", lambda x, y: tf.cast(x + y, tf.int32), np.asarray([200, 100, 3], dtype), np.asarray([100, 120, 5], dtype)) if dtype == "uint8" else case(f"Sub {dtype}", lambda x, y: x - y, np.asarray([100, 120, 3], dtype), np.asarray([100, 100, 2], dtype))
    yield case("Cast int64 large", lambda x: tf.cast(x, tf.int32), np.asarray([1, -5, 2**24 + 1], np.int64))


def complex_numbers() -> Iterator[Case]:
    a, b = floats(3, 4), floats(3, 4, seed=1)
    yield case("Complex Real", lambda x, y: raw.Real(input=raw.Complex(real=x, imag=y)), a, b)
    yield case("Complex Imag", lambda x, y: raw.Imag(input=raw.Complex(real=x, imag=y)), a, b)
    yield case("ComplexAbs", lambda x, y: raw.ComplexAbs(x=raw.Complex(real=x, imag=y)), a, b)
    yield case("Complex Mul", lambda x, y: raw.Imag(input=raw.Complex(real=x, imag=y) * raw.Complex(real=y, imag=x)), a, b)
    yield case("Complex Add", lambda x, y: raw.Imag(input=raw.Complex(real=x, imag=y) + raw.Complex(real=y, imag=x)), a, b)
    yield case("Complex Sub", lambda x, y: raw.Imag(input=raw.Complex(real=x, imag=y) - raw.Complex(real=y, imag=x)), a, b)
    for size in (8, 6):
        z = lambda x, y: raw.Complex(real=x, imag=y)  # noqa: E731
        x, y = floats(2, size), floats(2, size, seed=1)
        yield case(f"FFT {size}", lambda x, y: tf.math.imag(tf.signal.fft(tf.complex(x, y))), x, y)
        yield case(f"FFT real {size}", lambda x, y: tf.math.real(tf.signal.fft(tf.complex(x, y))), x, y)
        yield case(f"IFFT {size}", lambda x, y: tf.math.imag(tf.signal.ifft(tf.complex(x, y))), x, y)
        yield case(f"RFFT {size}", lambda x: tf.math.imag(tf.signal.rfft(x)), x)
        yield case(f"RFFT abs {size}", lambda x: tf.abs(tf.signal.rfft(x)), x)
        yield case(f"RFFT longer {size}", lambda x: tf.abs(tf.signal.rfft(x, [size + 4])), x)
        yield case(f"RFFT raw longer {size}", lambda x: tf.abs(raw.RFFT(input=tf.pad(x, [[0, 0], [0, 4]]), fft_length=[size])), x)
        yield case(f"IRFFT {size}", lambda x, y: tf.signal.irfft(tf.complex(x, y)), x[:, : size // 2 + 1], y[:, : size // 2 + 1])
        yield case(f"IRFFT shorter {size}", lambda x, y: tf.signal.irfft(tf.complex(x, y), [size - 2]), x[:, : size // 2 + 1], y[:, : size // 2 + 1])
        yield case(f"IRFFT longer {size}", lambda x, y: tf.signal.irfft(tf.complex(x, y), [size + 2]), x[:, : size // 2 + 1], y[:, : size // 2 + 1])
    yield case("FFT rank 3", lambda x: tf.abs(tf.signal.fft(tf.cast(x, tf.complex64))), floats(2, 3, 8))
    yield case("FFT rank 1", lambda x: tf.abs(tf.signal.fft(tf.cast(x, tf.complex64))), floats(8))
    yield case("RFFT rank 1", lambda x: tf.abs(tf.signal.rfft(x)), floats(8))
    yield case("RFFT rank 3", lambda x: tf.abs(tf.signal.rfft(x)), floats(2, 3, 8))


def cases() -> Iterator[Case]:
    yield from unary()
    yield from binary()
    yield from choices()
    yield from casts()
    yield from complex_numbers()
