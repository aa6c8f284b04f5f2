"""Small nets of which norms, pools, sums and concatenations stand in every place that they can."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers

from edgekit_converters.graph.frozen import FrozenGraph

IMAGE = (12, 12, 3)
# Two computations of one graph in float32 are further apart than that.
EXACT_DB = 100.0


def _conv(x: Any, width: int = 6, size: int = 3, padding: str = "valid", **options: Any) -> Any:
    return layers.Conv2D(width, size, padding=padding, activation="relu", **options)(x)


def _norm(x: Any) -> Any:
    return layers.BatchNormalization()(x)


def _pooled(x: Any) -> Any:
    x = layers.MaxPooling2D()(_norm(_conv(x)))
    return layers.Dense(4)(_norm(layers.Dense(8, activation="relu")(layers.Flatten()(x))))


def _padded(x: Any) -> Any:
    x = layers.AveragePooling2D(2, padding="same")(_norm(_conv(x, padding="same")))
    return layers.Dense(4)(layers.GlobalAveragePooling2D()(_norm(_conv(x, padding="same"))))


def _joined(x: Any) -> Any:
    return _conv(layers.Concatenate()([_norm(_conv(x)), _norm(_conv(x, 4))]), size=1)


def _residual(x: Any) -> Any:
    x = _norm(layers.Conv2D(6, 3, padding="same")(x))
    y = layers.Conv2D(6, 3, padding="same")(layers.ReLU()(_norm(_conv(x, padding="same"))))
    return layers.GlobalMaxPooling2D()(_norm(layers.ReLU()(layers.Add()([x, y]))))


def _depthwise(x: Any) -> Any:
    x = _norm(layers.DepthwiseConv2D(3, depth_multiplier=2, activation="relu")(x))
    x = _norm(layers.DepthwiseConv2D(3, strides=2)(x))
    return _norm(_conv(x, 6, 1, groups=2))


def _gated(x: Any) -> Any:
    x = _norm(_conv(x, padding="same"))
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    return _conv(layers.Multiply()([x, layers.Conv2D(6, 1, activation="sigmoid")(gate)]), 4, 1)


def _read_twice(x: Any) -> Any:
    x = _norm(_conv(x))
    return layers.Add()([layers.ELU()(x), x])


def _upsampled(x: Any) -> Any:
    x = layers.UpSampling2D()(_norm(_conv(x)))
    return _norm(layers.Conv2DTranspose(4, 3, activation="relu")(x))


NETS: dict[str, Callable[[Any], Any]] = {
    net.__name__.strip("_"): net
    for net in (_pooled, _padded, _joined, _residual, _depthwise, _gated, _read_twice, _upsampled)
}


def norm_net(name: str, seed: int = 0) -> keras.Model:
    """Return one of NETS. Of its norms, some scale by numbers below zero."""
    keras.utils.set_random_seed(seed)
    x = keras.Input(IMAGE, name="x")
    model = keras.Model(x, NETS[name](x))
    generator = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            count = layer.gamma.shape[0]
            layer.set_weights(
                [
                    generator.choice([-1, 1, 1, 1], count) * generator.uniform(0.3, 1.5, count),
                    generator.normal(0, 0.3, count),
                    generator.normal(0, 0.5, count),
                    generator.uniform(0.05, 2, count),
                ]
            )
    return model


def images(count: int, seed: int = 1) -> Any:
    """Return images of noise, unlike in contrast."""
    generator = np.random.default_rng(seed)
    contrast = generator.uniform(0.2, 2, (count, 1, 1, 1))
    return (contrast * generator.standard_normal((count, *IMAGE))).astype(np.float32)


def dead_channel_net() -> keras.Model:
    """Convolution, relu, norm, with a channel that is hardly ever more than zero.

    Its norm divides by its small deviation: where it is more, it is 30 times what others are.
    """
    keras.utils.set_random_seed(3)
    x = keras.Input(IMAGE, name="x")
    y = _norm(_conv(x, 8))
    y = _norm(_conv(y, 8))
    model = keras.Model(x, layers.Dense(4)(layers.Flatten()(y)))
    values = images(256, seed=5)
    for number in (1, 3):
        conv, norm = model.layers[number : number + 2]
        given = keras.Model(x, conv.output).predict(values, verbose=0)
        kernel, bias = conv.get_weights()
        bias[0] = -np.quantile(given[..., 0].max(axis=(1, 2)), 0.9)
        conv.set_weights([kernel, bias])
        given = keras.Model(x, conv.output).predict(values, verbose=0)
        axes = (0, 1, 2)
        norm.set_weights([np.ones(8), np.zeros(8), given.mean(axes), given.var(axes) * 0.5])
    return model


def answers(graph: FrozenGraph, values: Any) -> Any:
    """Return what a graph of one output gives for images."""
    return next(iter(graph.run({"x": values}).values()))


def level_db(expected: Any, found: Any) -> float:
    """Return the power of what is expected over that of the error."""
    error = float(np.square(found - expected).sum())
    return float(10 * np.log10(float(np.square(expected).sum()) / max(error, 1e-30)))
