"""Convolutions and pooling, each with the options that change what it computes."""

from __future__ import annotations

from collections.abc import Iterator

from zoo.case import IMAGE, SERIES, VOLUME, Case, Feed, grouped, layer, layers_with

CHANNELS_FIRST = {
    1: Feed((4, 12)),
    2: Feed((3, 8, 8)),
    3: Feed((2, 6, 6, 6)),
}
FEEDS = {1: SERIES, 2: IMAGE, 3: VOLUME}
WIDE = {1: Feed((12, 8)), 2: Feed((8, 8, 8)), 3: Feed((5, 5, 5, 4))}
ODD = {1: Feed((13, 4)), 2: Feed((9, 7, 3)), 3: Feed((7, 5, 6, 2))}
SAME, FIRST = {"padding": "same"}, {"data_format": "channels_first"}


def convolutions() -> Iterator[Case]:
    for rank in (1, 2, 3):
        base = {"filters": 4, "kernel_size": 3}
        yield from layers_with(
            f"Conv{rank}D",
            FEEDS[rank],
            base,
            SAME,
            {"strides": 2},
            {"strides": 2, **SAME},
            {"dilation_rate": 2},
            {"use_bias": False, "kernel_size": 1},
            {"activation": "relu", **SAME},
            {"kernel_size": 2, "strides": 3, **SAME},
        )
        yield layer(f"Conv{rank}D", ODD[rank], **base, strides=2, padding="same", activation="gelu")
        yield layer(f"Conv{rank}D", WIDE[rank], **base, groups=2)
        yield layer(f"Conv{rank}D", WIDE[rank], **base, groups=4, strides=2, padding="same")
        yield layer(f"Conv{rank}D", CHANNELS_FIRST[rank], **base, **FIRST)
        yield from layers_with(
            f"Conv{rank}DTranspose",
            FEEDS[rank],
            base,
            SAME,
            {"strides": 2},
            {"strides": 2, **SAME},
            {"strides": 2, "output_padding": 1},
            {"strides": 2, "output_padding": 1, **SAME},
            {"dilation_rate": 2},
            {"strides": 3, "kernel_size": 2, "use_bias": False},
            {"strides": 3, "kernel_size": 4, **SAME},
        )
        yield layer(f"Conv{rank}DTranspose", CHANNELS_FIRST[rank], **base, **FIRST)
    yield layer("Conv1D", SERIES, filters=4, kernel_size=3, padding="causal", dilation_rate=2)
    yield layer("Conv2D", WIDE[2], filters=8, kernel_size=3, groups=8)
    yield layer("Conv2D", WIDE[2], filters=16, kernel_size=3, groups=8, dilation_rate=2)
    yield layer("Conv2D", IMAGE, filters=4, kernel_size=(1, 3), strides=(2, 1), padding="same")
    yield layer("Conv2D", IMAGE, filters=4, kernel_size=3, dilation_rate=(1, 3), padding="same")
    yield layer("Conv2D", IMAGE, filters=4, kernel_size=11, padding="same")
    yield layer("Conv2DTranspose", IMAGE, filters=4, kernel_size=(3, 2), strides=(1, 2))
    for rank in (1, 2):
        base = {"kernel_size": 3}
        yield from layers_with(
            f"DepthwiseConv{rank}D",
            FEEDS[rank],
            base,
            SAME,
            {"strides": 2, **SAME},
            {"depth_multiplier": 2},
            {"dilation_rate": 2},
            {"activation": "relu6", "use_bias": False},
        )
        yield layer(f"DepthwiseConv{rank}D", CHANNELS_FIRST[rank], **base, **FIRST)
        yield from layers_with(
            f"SeparableConv{rank}D",
            FEEDS[rank],
            {"filters": 4, **base},
            {"strides": 2, **SAME},
            {"depth_multiplier": 2, "dilation_rate": 2},
        )
        yield layer(
            f"SeparableConv{rank}D", CHANNELS_FIRST[rank], filters=4, kernel_size=3, **FIRST
        )


def pooling() -> Iterator[Case]:
    for rank in (1, 2, 3):
        for kind in ("Max", "Average"):
            yield from layers_with(
                f"{kind}Pooling{rank}D",
                FEEDS[rank],
                {"pool_size": 2},
                SAME,
                {"pool_size": 3, "strides": 1, **SAME},
                {"pool_size": 3, "strides": 2},
            )
            yield layer(f"{kind}Pooling{rank}D", ODD[rank], pool_size=2, padding="same")
            yield layer(f"{kind}Pooling{rank}D", CHANNELS_FIRST[rank], pool_size=2, **FIRST)
            yield layer(f"Adaptive{kind}Pooling{rank}D", FEEDS[rank], output_size=2)
            yield layer(f"Adaptive{kind}Pooling{rank}D", ODD[rank], output_size=3)
        for name in (f"GlobalMaxPool{rank}D", f"GlobalAveragePooling{rank}D"):
            yield from layers_with(name, FEEDS[rank], {}, {"keepdims": True})
            yield layer(name, CHANNELS_FIRST[rank], **FIRST)


def cases() -> list[Case]:
    return [*grouped("Convolutions", convolutions()), *grouped("Pooling", pooling())]
