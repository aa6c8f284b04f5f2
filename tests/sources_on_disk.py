"""Sources for the tests of what can be wrong with them: written to a folder, each by a function."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from keras import layers

# The class is registered where this is imported, and only there.
CUSTOM_MODULE = """
import keras


@keras.saving.register_keras_serializable("mine")
class Double(keras.layers.Layer):
    def call(self, x):
        return x * 2
"""


def write_lambda(path: Path) -> Path:
    """Write a model with a Lambda layer that doubles its input x [?, 4]."""
    x = keras.Input((4,), name="x")
    keras.Model(x, layers.Lambda(lambda t: t * 2, name="y")(x)).save(path)
    return path


def write_custom(path: Path) -> Path:
    """Write a model with a custom class, and beside it the module my_layers that registers it.

    Afterwards the class is as unknown as on another machine.
    """
    names: dict[str, Any] = {}
    path.with_name("my_layers.py").write_text(CUSTOM_MODULE)
    exec(CUSTOM_MODULE, names)
    x = keras.Input((4,), name="x")
    keras.Model(x, names["Double"](name="y")(x)).save(path)
    forget_custom()
    return path


def forget_custom() -> None:
    """Make the custom class unknown to Keras, and its module unimported."""
    keras.saving.get_custom_objects().pop("mine>Double", None)
    sys.modules.pop("my_layers", None)


def write_text(path: Path) -> Path:
    """Write a model that takes strings: a vocabulary and an embedding."""
    text = keras.Input((1,), dtype="string", name="text")
    lookup = layers.StringLookup(vocabulary=["a", "b"])
    keras.Model(text, layers.Embedding(4, 3)(lookup(text))).save(path)
    return path


class Functions(tf.Module):  # type: ignore[misc]
    """Functions to make signatures of."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = tf.Variable(tf.reshape(tf.range(12.0), (4, 3)))

    @tf.function(input_signature=[tf.TensorSpec((None, 4), tf.float32, name="x")])
    def product(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": x @ self.kernel}

    @tf.function(input_signature=[tf.TensorSpec((None, 4), tf.float32, name="x")])
    def twice(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"z": 2 * (x @ self.kernel)}

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="text")])
    def length(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"n": tf.strings.length(text)}

    @tf.function(input_signature=[tf.TensorSpec(None, tf.float32, name="x")])
    def any_rank(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": 2 * x}

    @tf.function(input_signature=[])
    def no_input(self) -> dict[str, tf.Tensor]:
        return {"y": tf.reduce_sum(self.kernel)}

    @tf.function(input_signature=[tf.TensorSpec((None, 4), tf.float32, name="x")])
    def positive(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        # As many values as are positive: another shape for each sample.
        return {"found": tf.boolean_mask(self.kernel[:, 0], x[0] > 0)}


def write_saved_model(path: Path, *names: str) -> Path:
    """Write a SavedModel with the signatures named, each a function of `Functions`."""
    module = Functions()
    signatures = {name: getattr(module, name) for name in names}
    if len(names) == 1:
        signatures = {"serving_default": signatures[names[0]]}
    tf.saved_model.save(module, str(path), signatures=signatures or None)
    return path
