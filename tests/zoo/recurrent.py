"""Recurrent layers: directions, sequences, states, masks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from keras import layers
from zoo.case import LOOP, SERIES, TOKENS, Case, Feed, grouped, layer, layers_with, net

STATE = Feed((5,))
FRAMES = {1: Feed((4, 6, 2)), 2: Feed((3, 5, 5, 2)), 3: Feed((3, 4, 4, 4, 1))}


def sequences() -> Iterator[Case]:
    for name in ("LSTM", "GRU", "SimpleRNN"):
        yield from layers_with(
            name,
            SERIES,
            {"units": 5},
            {"return_sequences": True},
            {"return_state": True},
            {"return_sequences": True, "return_state": True},
            {"go_backwards": True, "return_sequences": True},
            {"unroll": True},
            {"dropout": 0.2},
            {"recurrent_dropout": 0.2},
            {"use_bias": False, "activation": "relu"},
        )
        yield _masked(name)
        yield _masked(name, return_sequences=True)
        yield _masked(name, go_backwards=True)
        yield _initial_state(name)
    yield layer("GRU", SERIES, units=5, reset_after=False)
    yield layer("LSTM", SERIES, units=5, recurrent_activation="hard_sigmoid")
    yield layer("LSTM", SERIES, units=5, unit_forget_bias=False, return_sequences=True)
    for name in ("LSTM", "GRU"):
        for merge in ("concat", "sum", "mul", "ave", None):
            yield _both(name, merge_mode=merge)
        yield _both(name, return_sequences=True)
        yield _both(name, masked=True)
    for rank, feed in FRAMES.items():
        base = {"filters": 2, "kernel_size": 3, "padding": "same"}
        yield from layers_with(f"ConvLSTM{rank}D", feed, base, {"return_sequences": True})
        yield layer(f"ConvLSTM{rank}D", feed, filters=2, kernel_size=2, go_backwards=True)
    for name in ("LSTMCell", "GRUCell", "SimpleRNNCell"):
        yield _cell(name)
    yield _stacked()
    yield layer("TimeDistributed", SERIES, layer=partial(layers.Dense, 3))
    yield layer("TimeDistributed", Feed((4, 6, 6, 2)), layer=partial(layers.Conv2D, 3, 3))
    yield _two_lstms()
    yield _residual()


def _masked(name: str, **options: Any) -> Case:
    words = "".join(f" {key}={value}" for key, value in options.items())

    @net(f"{name} after Embedding mask_zero{words}", TOKENS, covers=(name, "Embedding"))
    def case(tokens: Any) -> Any:
        return getattr(layers, name)(5, **options)(layers.Embedding(9, 4, mask_zero=True)(tokens))

    return case


def _initial_state(name: str) -> Case:
    states = 2 if name == "LSTM" else 1

    @net(f"{name} with initial_state", SERIES, *[STATE] * states)
    def case(x: Any, *state: Any) -> Any:
        made = getattr(layers, name)(5, return_state=True)
        return made(x, initial_state=list(state) if states > 1 else state[0])

    return case


def _both(name: str, masked: bool = False, merge_mode: str | None = "concat", **more: Any) -> Case:
    words = f"Bidirectional {name} merge_mode={merge_mode}{' masked' if masked else ''}"
    words += "".join(f" {key}={value}" for key, value in more.items())

    @net(words, SERIES, covers=("Bidirectional", "Masking"))
    def case(x: Any) -> Any:
        made = getattr(layers, name)(5, **more)
        source = layers.Masking(0.0)(layers.ReLU()(x)) if masked else x
        return layers.Bidirectional(made, merge_mode=merge_mode)(source)

    return case


def _cell(name: str) -> Case:
    @net(f"RNN of {name}", SERIES, covers=("RNN", name))
    def case(x: Any) -> Any:
        return layers.RNN(getattr(layers, name)(5), return_sequences=True)(x)

    return case


def _stacked() -> Case:
    @net("RNN of StackedRNNCells", SERIES, covers=("RNN", "StackedRNNCells"))
    def case(x: Any) -> Any:
        cells = [layers.LSTMCell(5), layers.GRUCell(4)]
        return layers.RNN(layers.StackedRNNCells(cells))(x)

    return case


def _two_lstms() -> Case:
    @net("two LSTMs and a concatenation", SERIES)
    def case(x: Any) -> Any:
        joined = layers.concatenate([layers.LSTM(5, return_sequences=True)(x), x])
        return layers.Dense(2)(layers.LSTM(4, return_sequences=True)(joined))

    return case


def _residual() -> Case:
    @net("LSTM, residual, LayerNormalization, LSTM", Feed((16, 8)))
    def case(x: Any) -> Any:
        y = layers.LayerNormalization()(layers.LSTM(8, return_sequences=True)(x) + x)
        return layers.Dense(2)(layers.LSTM(8)(y))

    return case


def cases() -> list[Case]:
    return grouped("Recurrent layers", sequences(), LOOP)
