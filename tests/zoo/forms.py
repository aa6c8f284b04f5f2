"""Whole models: what they take and give, how they are nested, and what their parts are called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from zoo.case import ALONE, IMAGE, SERIES, VECTOR, Case, Feed

_ALL: list[Case] = []


def _form(name: str, *feeds: Feed, **more: Any) -> Callable[[Callable[[], Any]], Any]:
    def add(build: Callable[[], keras.Model]) -> Callable[[], keras.Model]:
        _ALL.append(Case("Forms", name, feeds or (VECTOR,), company=ALONE, model=build, **more))
        return build

    return add


def _x(shape: tuple[int | None, ...] = (6,), name: str = "x", **more: Any) -> Any:
    return keras.Input(shape, name=name, **more)


@_form("Sequential")
def _sequential() -> keras.Model:
    return keras.Sequential([_x(), layers.Dense(5, activation="relu"), layers.Dense(2)])


@_form("dict of inputs, dict of outputs", VECTOR, VECTOR)
def _dicts() -> keras.Model:
    a, b = _x(name="left"), _x(name="right")
    out = {"sum": layers.Dense(3)(a + b), "difference": layers.Dense(2)(a - b)}
    return keras.Model({"left": a, "right": b}, out)


@_form("nested inputs and outputs", VECTOR, VECTOR, VECTOR)
def _nested_structure() -> keras.Model:
    a, b, c = (_x(name=name) for name in "abc")
    return keras.Model([a, (b, c)], [layers.Dense(2)(a), (layers.Dense(3)(b * c), [a - c])])


@_form("a shared layer", VECTOR, VECTOR)
def _shared() -> keras.Model:
    a, b, dense = _x(name="a"), _x(name="b"), layers.Dense(4, activation="tanh")
    return keras.Model([a, b], layers.Dense(2)(dense(a) * dense(dense(b)[:, :1] * a)))


@_form("a model in a model, used twice", IMAGE)
def _nested() -> keras.Model:
    body = keras.Sequential([layers.Conv2D(3, 3, padding="same"), layers.BatchNormalization()])
    x = _x((8, 8, 3))
    return keras.Model(x, layers.GlobalAveragePooling2D()(body(ops.relu(body(x)))))


@_form("names with spaces, slashes and umlauts", VECTOR, VECTOR)
def _names() -> keras.Model:
    a, b = _x(name="größe in mm"), _x(name="a-b.c")
    y = layers.Dense(3, name="erste Schicht, ja")(a)
    return keras.Model(
        [a, b],
        layers.Dense(2, name="Ausgabe: 100 %")(layers.Add(name="plus+")([y, layers.Dense(3)(b)])),
    )


@_form("names that are words of Python", VECTOR, VECTOR)
def _keywords() -> keras.Model:
    a, b = _x(name="class"), _x(name="self")
    return keras.Model([a, b], layers.Dense(2, name="return")(a - b))


@_form("an input that is an output too")
def _passed() -> keras.Model:
    x = _x()
    return keras.Model(x, [x, layers.Dense(2)(x)])


@_form("the same tensor as two outputs")
def _twice() -> keras.Model:
    x = _x()
    y = layers.Dense(4)(x)
    return keras.Model(x, [y, layers.Identity(name="echo")(x), layers.Identity(name="again")(y)])


@_form("an input that nothing reads", VECTOR, VECTOR)
def _unread() -> keras.Model:
    a, b = _x(name="a"), _x(name="b")
    return keras.Model([a, b], layers.Dense(2)(a))


@_form("an output that is a constant")
def _constant() -> keras.Model:
    x = _x()
    return keras.Model(x, [layers.Dense(2)(x), ops.zeros_like(x) + 2.0])


@_form("no weights at all", IMAGE)
def _no_weights() -> keras.Model:
    x = _x((8, 8, 3))
    return keras.Model(x, layers.AveragePooling2D(2)(x))


for _dtype, _kind in {
    "int32": 9,
    "int64": 9,
    "uint8": 250,
    "int8": 100,
    "int16": 1000,
    "bool": "bool",
    "float16": "normal",
    "float64": "normal",
}.items():

    @_form(f"{_dtype} in", Feed((6,), _kind, _dtype))  # type: ignore[arg-type]
    def _dtype_in(dtype: str = _dtype) -> keras.Model:
        x = _x(dtype=dtype)
        return keras.Model(x, layers.Dense(3)(ops.cast(x, "float32") * 0.01))


for _dtype in ("int32", "int64", "uint8", "bool", "float16"):

    @_form(f"{_dtype} out")
    def _dtype_out(dtype: str = _dtype) -> keras.Model:
        x = _x()
        y = layers.Dense(3)(x)
        return keras.Model(x, [y, ops.cast(y > 0 if dtype == "bool" else ops.abs(y) * 9, dtype)])


@_form("mixed_float16")
def _half() -> keras.Model:
    policy = keras.mixed_precision.Policy("mixed_float16")
    x = _x()
    y = layers.Dense(16, activation="relu", dtype=policy)(x)
    return keras.Model(x, layers.Dense(4, dtype="float32")(y))


@_form("mixed_bfloat16")
def _bfloat() -> keras.Model:
    policy = keras.mixed_precision.Policy("mixed_bfloat16")
    x = _x()
    y = layers.Dense(16, activation="relu", dtype=policy)(x)
    return keras.Model(x, layers.Dense(4, dtype="float32")(y))


@_form("free height and width", Feed((None, None, 3)), input_shape={"x": (1, 6, 6, 3)})
def _free_image() -> keras.Model:
    x = _x((None, None, 3))
    y = layers.Conv2D(4, 3, activation="relu")(x)
    return keras.Model(x, layers.Dense(2)(layers.GlobalMaxPooling2D()(y)))


@_form("free length", Feed((None, 4)), input_shape={"x": (1, 6, 4)})
def _free_series() -> keras.Model:
    x = _x((None, 4))
    return keras.Model(x, layers.LSTM(3)(layers.Conv1D(5, 3, padding="causal")(x)))


@_form("a fixed batch of 1", VECTOR)
def _batch_one() -> keras.Model:
    x = keras.Input(batch_shape=(1, 6), name="x")
    return keras.Model(x, layers.Dense(2)(x))


@_form("a stateful LSTM", SERIES)
def _stateful() -> keras.Model:
    x = keras.Input(batch_shape=(1, 12, 4), name="x")
    return keras.Model(x, layers.Dense(2)(layers.LSTM(5, stateful=True)(x)))


@_form("a scalar output")
def _scalar() -> keras.Model:
    x = _x()
    return keras.Model(x, ops.sum(layers.Dense(3)(x), axis=-1))


@_form("scalar inputs", Feed(()), Feed((), 5, "int32"))
def _scalar_in() -> keras.Model:
    a, b = _x((), "a"), _x((), "b", dtype="int32")
    return keras.Model([a, b], ops.stack([a * 2.0, ops.cast(b, "float32") + a], axis=-1))


@_form("large numbers in, normalized", Feed((3,), "positive"))
def _pressure() -> keras.Model:
    x = _x((3,))
    y = layers.Normalization(mean=[2000.0, 3.0, 50.0], variance=[100.0, 25.0, 400.0])(x * 1000.0)
    return keras.Model(x, layers.Dense(1)(layers.Dense(16, activation="relu")(y)))


@_form("a layer without a kernel of one channel", IMAGE)
def _scaled() -> keras.Model:
    x = _x((8, 8, 3))
    y = layers.Conv2D(8, 3, use_bias=False)(x) * np.linspace(0.5, 2, 8).astype("float32")
    return keras.Model(x, layers.ReLU()(y + 0.25))


@_form("no channel shared: weights used in two kinds of layers", Feed((7,), 9, "int32"))
def _tied() -> keras.Model:
    x = _x((7,), dtype="int32")
    table = layers.Embedding(9, 8)
    return keras.Model(
        x, ops.matmul(layers.Dense(8)(table(x)), ops.transpose(table(ops.arange(9))))
    )


def cases() -> list[Case]:
    return list(_ALL)
