"""The other layers of Keras: dense ones, activations, norms, shapes, merging, attention."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from keras import layers
from zoo.case import (
    IMAGE,
    SERIES,
    TOKENS,
    VECTOR,
    VOLUME,
    Case,
    Feed,
    grouped,
    layer,
    layers_with,
    net,
)

ACTIVATIONS = (
    *("celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu"),
    *("hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6"),
    *("selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus"),
    *("sparse_sigmoid", "sparsemax", "squareplus", "swish", "tanh", "tanh_shrink"),
)
FACTORS = {1: SERIES, 2: IMAGE, 3: VOLUME}
FIRST = {"data_format": "channels_first"}


def core() -> Iterator[Case]:
    yield from layers_with(
        "Dense", VECTOR, {"units": 4}, {"use_bias": False}, {"activation": "softmax"}
    )
    yield layer("Dense", IMAGE, units=4)
    yield layer("EinsumDense", SERIES, equation="abc,cd->abd", output_shape=(12, 5), bias_axes="d")
    yield layer("EinsumDense", SERIES, equation="abc,bcd->abd", output_shape=(12, 5))
    yield layer("Embedding", TOKENS, input_dim=9, output_dim=4)
    yield layer("ReversibleEmbedding", TOKENS, input_dim=9, output_dim=4)
    yield layer("Identity")
    yield layer("ActivityRegularization", l2=0.1)
    yield layer("Dropout", rate=0.5)
    yield layer("AlphaDropout", rate=0.5)
    yield layer("GaussianDropout", rate=0.5)
    yield layer("GaussianNoise", stddev=0.5)
    for rank, feed in FACTORS.items():
        yield layer(f"SpatialDropout{rank}D", feed, rate=0.5)
    yield layer("Masking", SERIES)
    yield layer("SpectralNormalization", IMAGE, layer=partial(layers.Conv2D, 4, 3))

    @net("Embedding and its reverse", TOKENS, covers=("ReversibleEmbedding",))
    def tied(tokens: Any) -> Any:
        table = layers.ReversibleEmbedding(9, 4)
        return table(table(tokens), reverse=True)

    yield tied


def activations() -> Iterator[Case]:
    for name in ACTIVATIONS:
        yield layer("Activation", activation=name)
    yield layer("ELU", alpha=0.5)
    yield from layers_with("LeakyReLU", VECTOR, {}, {"negative_slope": 0.01})
    yield from layers_with(
        "PReLU", IMAGE, {"alpha_initializer": "uniform"}, {"shared_axes": [1, 2]}
    )
    yield layer("PReLU", SERIES, alpha_initializer="uniform")
    yield from layers_with(
        "ReLU",
        VECTOR,
        {},
        {"max_value": 6},
        {"max_value": 1},
        {"negative_slope": 0.2},
        {"threshold": 0.5},
        {"max_value": 0.5, "negative_slope": 0.1, "threshold": 0.1},
    )
    yield from layers_with("Softmax", SERIES, {}, {"axis": 1}, {"axis": [1, 2]})

    @net("Softmax with a mask", SERIES, Feed((12, 4), "bool", "bool"))
    def masked(x: Any, mask: Any) -> Any:
        return layers.Softmax()(x, mask)

    yield masked


def norms() -> Iterator[Case]:
    yield from layers_with("BatchNormalization", IMAGE, {}, {"scale": False}, {"center": False})
    yield layer("BatchNormalization", IMAGE, axis=1)
    yield layer("BatchNormalization", VECTOR)
    yield layer("BatchNormalization", VOLUME, epsilon=0.01)
    yield from layers_with(
        "LayerNormalization", IMAGE, {}, {"axis": [1, 2, 3]}, {"axis": 1}, {"scale": False}
    )
    yield layer("LayerNormalization", SERIES)
    yield layer("RMSNormalization", SERIES)
    yield layer("GroupNormalization", Feed((8, 8, 6)), groups=3)
    yield layer("GroupNormalization", Feed((8, 8, 6)), groups=-1)
    yield layer("GroupNormalization", SERIES, groups=2)
    yield from layers_with("UnitNormalization", SERIES, {}, {"axis": 1})
    statistics = {"mean": [1.0, 2.0, 3.0], "variance": [4.0, 5.0, 6.0]}
    yield from layers_with("Normalization", IMAGE, statistics, {"invert": True})
    yield layer("Normalization", VECTOR, axis=None, mean=3.0, variance=4.0)

    for act in ("relu", "relu6", "silu"):

        @net(f"Conv2D, BatchNormalization, {act}", IMAGE)
        def conv_norm(x: Any, act: str = act) -> Any:
            y = layers.BatchNormalization()(layers.Conv2D(8, 3, use_bias=False)(x))
            return layers.Activation(act)(y)

        yield conv_norm

    @net("BatchNormalization, Dense", VECTOR)
    def norm_dense(x: Any) -> Any:
        return layers.Dense(3)(layers.BatchNormalization()(x))

    yield norm_dense


def shapes() -> Iterator[Case]:
    yield from layers_with("Flatten", IMAGE, {}, FIRST)
    yield layer("Reshape", SERIES, target_shape=(6, 8))
    yield layer("Reshape", SERIES, target_shape=(-1, 2, 2))
    yield layer("Permute", IMAGE, dims=(3, 1, 2))
    yield layer("RepeatVector", n=3)
    for rank, feed in FACTORS.items():
        one: Any = 1 if rank == 1 else ((1, 2),) * rank
        yield layer(f"Cropping{rank}D", feed, cropping=1)
        yield layer(f"ZeroPadding{rank}D", feed, padding=2 if rank == 1 else one)
        yield layer(f"UpSampling{rank}D", feed, size=2)
    yield layer("ZeroPadding1D", SERIES, padding=(0, 3))
    yield layer("Cropping2D", IMAGE, cropping=((0, 1), (2, 0)))
    yield layer("Cropping2D", IMAGE, cropping=1, **FIRST)
    yield layer("ZeroPadding2D", IMAGE, padding=1, **FIRST)
    yield layer("UpSampling2D", IMAGE, size=(3, 2))
    yield layer("UpSampling2D", IMAGE, **FIRST)
    for name in ("bilinear", "bicubic", "lanczos3", "lanczos5"):
        yield layer("UpSampling2D", IMAGE, interpolation=name)

    @net("ZeroPadding2D, MaxPooling2D", IMAGE)
    def padded_pool(x: Any) -> Any:
        return layers.MaxPooling2D(3, 2)(layers.ZeroPadding2D(1)(x - 3.0))

    yield padded_pool


def merging() -> Iterator[Case]:
    for name in ("Add", "Average", "Maximum", "Minimum", "Multiply"):
        yield layer(name, VECTOR, VECTOR, VECTOR, listed=True)
    yield layer("Subtract", VECTOR, VECTOR, listed=True)
    yield layer("Add", IMAGE, Feed((1, 1, 3)), listed=True)
    yield layer("Concatenate", IMAGE, IMAGE, listed=True)
    yield layer("Concatenate", IMAGE, IMAGE, listed=True, axis=1)
    yield layer("Dot", VECTOR, VECTOR, listed=True, axes=1)
    yield layer("Dot", VECTOR, VECTOR, listed=True, axes=1, normalize=True)
    yield layer("Dot", SERIES, Feed((5, 4)), listed=True, axes=(2, 2))


def attention() -> Iterator[Case]:
    for name in ("Attention", "AdditiveAttention"):
        yield layer(name, SERIES, SERIES, listed=True)
        yield layer(name, SERIES, Feed((5, 4)), Feed((5, 4)), listed=True)
    yield layer("Attention", SERIES, SERIES, listed=True, score_mode="concat")
    yield layer("Attention", SERIES, SERIES, listed=True, use_scale=True)
    yield from layers_with(
        "MultiHeadAttention",
        SERIES,
        {"num_heads": 2, "key_dim": 3},
        {"use_bias": False},
        {"value_dim": 5, "output_shape": 6},
        {"dropout": 0.1},
    )
    yield layer("MultiHeadAttention", IMAGE, num_heads=2, key_dim=3, attention_axes=(1, 2))
    yield from layers_with(
        "GroupQueryAttention",
        SERIES,
        {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2},
    )

    @net("MultiHeadAttention causal", SERIES, covers=("MultiHeadAttention",))
    def causal(x: Any) -> Any:
        return layers.MultiHeadAttention(2, 3)(x, x, use_causal_mask=True)

    @net("MultiHeadAttention with a mask of tokens", TOKENS)
    def masked(tokens: Any) -> Any:
        x = layers.Embedding(9, 4, mask_zero=True)(tokens)
        return layers.MultiHeadAttention(2, 3)(x, x)

    @net("MultiHeadAttention returns scores", SERIES)
    def scores(x: Any) -> Any:
        return layers.MultiHeadAttention(2, 3)(x, x, return_attention_scores=True)

    @net("Attention causal", SERIES)
    def plain(x: Any) -> Any:
        return layers.Attention()([x, x], use_causal_mask=True)

    @net("a transformer's block", SERIES)
    def block(x: Any) -> Any:
        y = layers.LayerNormalization()(x)
        x = x + layers.MultiHeadAttention(2, 4)(y, y)
        y = layers.Dense(16, activation="gelu")(layers.LayerNormalization()(x))
        return x + layers.Dense(4)(y)

    yield from (causal, masked, scores, plain, block)


def cases() -> list[Case]:
    return [
        *grouped("Dense layers and regularization", core()),
        *grouped("Activations", activations()),
        *grouped("Normalization", norms()),
        *grouped("Shapes", shapes()),
        *grouped("Merging", merging()),
        *grouped("Attention", map(_self_attending, attention())),
    ]


def _self_attending(case: Case) -> Case:
    """Feed one tensor of a net of attention as query and value."""
    if not case.name.startswith(("MultiHeadAttention", "GroupQueryAttention")):
        return case
    if case.apply is None or len(case.feeds) > 1 or not case.covers or "causal" in case.name:
        return case
    apply = case.apply
    return Case("", case.name, case.feeds, lambda x: apply(x, x), case.covers)
