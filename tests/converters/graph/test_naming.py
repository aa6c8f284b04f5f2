"""Operators are named with where they stand."""

from __future__ import annotations

import keras
from keras import layers, ops
from models import freeze_model

from edgekit_converters.graph.naming import with_layers


def test_an_operator_is_named_with_its_layer_or_with_what_it_computes_from() -> None:
    x = keras.Input((4, 4, 3), name="picture")
    hsv = ops.image.rgb_to_hsv(x)
    convolved = layers.Conv2D(3, 1, name="tint", activation="sigmoid")(x)
    again = layers.Conv2D(2, 1, name="last")(ops.image.rgb_to_hsv(convolved) + hsv)
    graph_def = freeze_model(keras.Model(x, again)).graph_def
    told = with_layers(graph_def, ["RGBToHSV", "Sigmoid"])
    # Keras opens the scope of a layer twice, and TensorFlow numbers the second.
    assert told.replace("_1", "") == "RGBToHSV (after picture, after tint), Sigmoid (tint)"


def test_an_operator_of_constants_alone_is_named_as_its_node() -> None:
    x = keras.Input((4,), name="x")
    graph_def = freeze_model(keras.Model(x, layers.Dense(2)(x))).graph_def
    graph_def.node.add(name="lonely", op="Lonely")
    assert with_layers(graph_def, ["Lonely"]) == "Lonely ('lonely')"
