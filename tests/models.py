"""Small Keras models for the tests. Each is seeded: the same weights every time."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_converters.sources.keras.load import from_model, tensor_name

sys.path.insert(0, str(Path(__file__).parent.parent / "examples" / "mbv2"))

VOCABULARY = 1000


def conv_net() -> keras.Model:
    """Rescaling, conv, batch norm, relu6, depthwise, residual add, pooling, dense: as digits."""
    keras.utils.set_random_seed(1)
    image = keras.Input((28, 28, 1), name="image")
    x = layers.Rescaling(1 / 255)(image)
    x = _norm(layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False)(x))
    x = layers.ReLU(6)(x)
    y = _norm(layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x))
    y = layers.ReLU(6)(y)
    y = _norm(layers.Conv2D(16, 1, use_bias=False)(y))
    x = layers.Add()([x, y])
    x = layers.Conv2D(32, 3, padding="same", activation="relu")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(10, name="digit")(x))


def dense_net() -> keras.Sequential:
    """A Sequential of dense layers with a softmax."""
    keras.utils.set_random_seed(2)
    return keras.Sequential(
        [
            keras.Input((64,), name="features"),
            layers.Dense(128, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dense(4, activation="softmax", name="class"),
        ]
    )


def two_in_two_out() -> keras.Model:
    """Two inputs of different shapes, two outputs whose alphabetical order is not their own."""
    keras.utils.set_random_seed(3)
    image = keras.Input((16, 16, 3), name="image")
    meta = keras.Input((5,), name="meta")
    x = layers.Conv2D(8, 3, activation="relu")(image)
    x = layers.Concatenate()([layers.GlobalAveragePooling2D()(x), meta])
    x = layers.Dense(64, activation="relu")(x)
    return keras.Model(
        [image, meta], [layers.Dense(3, name="zone")(x), layers.Dense(1, name="age")(x)]
    )


def recurrent_net() -> keras.Model:
    """An LSTM over ten steps."""
    keras.utils.set_random_seed(4)
    steps = keras.Input((10, 6), name="steps")
    return keras.Model(steps, layers.Dense(3, name="class")(layers.LSTM(16)(steps)))


def any_size_net() -> keras.Model:
    """A fully convolutional net whose height and width are open."""
    keras.utils.set_random_seed(5)
    image = keras.Input((None, None, 3), name="image")
    x = layers.Conv2D(8, 3, activation="relu")(image)
    return keras.Model(image, layers.Dense(4, name="class")(layers.GlobalMaxPooling2D()(x)))


def mbv2() -> keras.Model:
    """The speed model of examples/mbv2."""
    import make

    return make.build()


def grouped_net() -> keras.Model:
    """A grouped convolution, which Keras puts into a separate compiled function."""
    keras.utils.set_random_seed(6)
    image = keras.Input((8, 8, 8), name="image")
    x = layers.Conv2D(16, 3, groups=4, activation="relu")(image)
    return keras.Model(image, layers.Dense(3, name="class")(layers.GlobalAveragePooling2D()(x)))


def token_net() -> keras.Model:
    """Tokens: a table that is the last layer's kernel too, and causal attention."""
    keras.utils.set_random_seed(7)
    tokens = keras.Input((12,), name="tokens", dtype="int32")
    table = layers.ReversibleEmbedding(VOCABULARY, 32, name="table")
    x = table(tokens)
    x = x + layers.MultiHeadAttention(2, 16)(x, x, use_causal_mask=True)
    x = layers.LayerNormalization()(layers.GlobalAveragePooling1D()(x))
    return keras.Model(tokens, layers.Identity(name="next")(table(x, reverse=True)))


def lookup_net() -> keras.Model:
    """Tables of one, two and three axes, the second read along its columns."""
    generator = np.random.default_rng(8)
    places = keras.Input((3,), name="places", dtype="int32")
    shapes = {
        "numbers": (VOCABULARY, 0),
        "columns": (24, VOCABULARY, 1),
        "blocks": (VOCABULARY, 3, 16, 0),
    }
    outputs = {}
    for name, (*shape, axis) in shapes.items():
        table = generator.standard_normal(shape).astype("float32")
        outputs[name] = layers.Identity(name=name)(keras.ops.take(table, places, axis=axis))
    return keras.Model(places, outputs)


def random_inputs(model: keras.Model, count: int = 8, seed: int = 0) -> dict[str, Any]:
    """Return `count` samples of noise for each input: standard normal, or tokens."""
    generator = np.random.default_rng(seed)

    def noise(tensor: Any) -> Any:
        shape = (count, *tensor.shape[1:])
        if tensor.dtype == "int32":
            return generator.integers(0, VOCABULARY, shape).astype("int32")
        return generator.standard_normal(shape).astype("float32")

    return {tensor_name(tensor): noise(tensor) for tensor in model.inputs}


def _norm(x: Any) -> Any:
    """Batch normalization with statistics that are not the identity."""
    generator = np.random.default_rng(int(x.shape[-1]))
    channels = x.shape[-1]
    return layers.BatchNormalization(
        beta_initializer=keras.initializers.Constant(generator.uniform(-0.2, 0.2, channels)),
        gamma_initializer=keras.initializers.Constant(generator.uniform(0.5, 1.5, channels)),
        moving_mean_initializer=keras.initializers.Constant(generator.uniform(-0.1, 0.1, channels)),
        moving_variance_initializer=keras.initializers.Constant(
            generator.uniform(0.5, 1.5, channels)
        ),
    )(x)


def freeze_model(model: keras.Model) -> FrozenGraph:
    """Return the frozen graph of a model in memory."""
    return from_model(model).graph
