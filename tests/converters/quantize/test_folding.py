"""Scales and offsets in the layers around them: the same answers from fewer operators."""

from __future__ import annotations

from collections import Counter
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from models import freeze_model
from norm_nets import EXACT_DB, NETS, answers, images, level_db, norm_net

from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_converters.quantize.folding import fold_affines


def operators(graph: FrozenGraph) -> Counter[str]:
    return Counter(node.op for node in graph.graph_def.node)


# Numbers below zero go neither back through a relu nor on into what knows no sign.
FOLDED = [name for name in NETS if name not in ("read_twice", "upsampled")]


@pytest.mark.parametrize("name", FOLDED)
def test_a_folded_graph_answers_as_before(name: str) -> None:
    graph, values = freeze_model(norm_net(name)), images(4)
    folded = fold_affines(graph)
    assert folded is not graph
    assert level_db(answers(graph, values), answers(folded, values)) > EXACT_DB
    assert operators(folded)["Mul"] < operators(graph)["Mul"]


def folded_net(*parts: Any) -> tuple[FrozenGraph, Counter[str]]:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((8, 8, 2), name="x"), *parts, layers.Flatten()])
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([np.array([2.0, 0.5, 1.0]), *np.ones((3, 3)) * 0.7])
    graph = fold_affines(freeze_model(model))
    return graph, operators(graph)


def test_a_norm_behind_a_relu_goes_back_by_its_scale_and_on_by_its_offset() -> None:
    _, found = folded_net(
        layers.Conv2D(3, 3, activation="relu"),
        layers.BatchNormalization(),
        layers.MaxPooling2D(),
        layers.Conv2D(4, 3),
    )
    assert (found["Mul"], found["AddV2"], found["BiasAdd"]) == (0, 0, 1)


def test_an_offset_stays_where_zeros_are_padded_behind_it() -> None:
    _, found = folded_net(
        layers.Conv2D(3, 3, activation="relu"),
        layers.BatchNormalization(),
        layers.Conv2D(4, 3, padding="same"),
    )
    assert (found["Mul"], found["AddV2"]) == (0, 1)


def test_a_norm_behind_a_function_that_knows_no_scale_stays() -> None:
    _, found = folded_net(
        layers.Conv2D(3, 3, activation="gelu"),
        layers.BatchNormalization(),
        layers.Conv2D(4, 3, padding="same"),
    )
    assert found["Sub"] + found["AddV2"] > 0


def test_a_large_offset_stays_in_front_of_a_layer() -> None:
    far = layers.Normalization(mean=[1000.0, 1000.0], variance=[1.0, 1.0])
    near = layers.Normalization(mean=[1.0, 1.0], variance=[1.0, 1.0])
    counts = [sum(folded_net(one, layers.Conv2D(3, 3))[1].values()) for one in (far, near)]
    assert counts[0] > counts[1]


def test_a_graph_with_nothing_to_fold_is_returned_as_it_is() -> None:
    net = keras.Sequential([keras.Input((4,), name="x"), layers.Dense(3, activation="tanh")])
    graph = freeze_model(net)
    assert fold_affines(graph) is graph


def test_a_kernel_that_two_layers_share_is_left_alone() -> None:
    keras.utils.set_random_seed(0)
    x = keras.Input((12, 12, 3), name="x")
    shared = layers.Conv2D(3, 3, padding="same", activation="relu")
    norm = layers.BatchNormalization()
    norm.build((None, 12, 12, 3))
    norm.set_weights([np.array([2.0, 0.5, 1.0]), *np.ones((3, 3)) * 0.7])
    graph = freeze_model(keras.Model(x, layers.Flatten()(shared(norm(shared(x))))))
    values = images(3)
    assert level_db(answers(graph, values), answers(fold_affines(graph), values)) > EXACT_DB
