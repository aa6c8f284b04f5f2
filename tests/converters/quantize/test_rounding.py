"""Kernels on a grid: nearer to what they answered than each weight's own rounding."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from graph_tools import frozen as traced
from keras import layers
from models import freeze_model
from norm_nets import answers, images, level_db

from edgekit_converters.calibration import Calibration
from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_converters.integers import symmetric_int8
from edgekit_converters.quantize.attempts import EQUALIZED, ROUNDED, Attempts
from edgekit_converters.quantize.patches import patches
from edgekit_converters.quantize.rescale import Scalable
from edgekit_converters.quantize.rounding import as_matrices, from_matrices

GRID = dict.fromkeys(("Conv2D", "DepthwiseConv2dNative", "MatMul"), 15)

LAYERS: dict[str, Any] = {
    "convolution": lambda: layers.Conv2D(6, 3, strides=2, padding="same"),
    "grouped": lambda: layers.Conv2D(6, (3, 2), groups=3, padding="same"),
    "depthwise": lambda: layers.DepthwiseConv2D((2, 3), depth_multiplier=2, padding="same"),
    "depthwise with strides": lambda: layers.DepthwiseConv2D(3, strides=2, padding="same"),
    "dense": lambda: layers.Dense(5),
}


def one_layer(name: str) -> FrozenGraph:
    keras.utils.set_random_seed(0)
    x = keras.Input((12, 12, 3), name="x")
    y = layers.Flatten()(x) if name == "dense" else x
    return freeze_model(keras.Model(x, LAYERS[name]()(y)))


def smooth(count: int, seed: int = 1) -> Any:
    values = images(count, seed)
    for axis in (1, 2):
        for _ in range(3):
            values = values + np.roll(values, 1, axis)
    return values / 8


def attempts(frozen: FrozenGraph) -> Attempts:
    return Attempts(frozen, Calibration(lambda: ({"x": one[None]} for one in smooth(48)), 48))


@pytest.mark.parametrize("name", LAYERS)
def test_patches_times_the_kernel_are_what_the_layer_gives(name: str) -> None:
    frozen, values = one_layer(name), images(2)
    graph = Scalable(frozen)
    (kernel,) = graph.kernels.values()
    read = values.reshape(2, -1) if name == "dense" else values
    rows = patches(kernel, read, 10_000, np.random.default_rng(0))
    found = np.matmul(rows, as_matrices(kernel)).transpose(1, 0, 2)
    expected = answers(frozen, values)
    np.testing.assert_allclose(found.reshape(expected.shape), expected, atol=1e-5)
    assert np.array_equal(from_matrices(kernel, as_matrices(kernel)), kernel.values)


def test_patches_of_a_dilated_convolution_are_what_it_reads() -> None:
    weights = np.random.default_rng(0).standard_normal((3, 3, 3, 4)).astype(np.float32)
    frozen = graph_of(lambda x: tf.nn.conv2d(x, weights, (1, 2), "SAME", dilations=2))
    (kernel,) = Scalable(frozen).kernels.values()
    rows = patches(kernel, images(2), 10_000, np.random.default_rng(0))
    expected = answers(frozen, images(2))
    found = (rows[0] @ as_matrices(kernel)[0]).reshape(expected.shape)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def graph_of(function: Any) -> FrozenGraph:
    return traced(function, x=((None, 12, 12, 3), "float32"))


@pytest.mark.parametrize("name", LAYERS)
def test_rounding_by_second_order_is_nearer_than_rounding_each_weight(name: str) -> None:
    frozen, values = one_layer(name), smooth(32, seed=2)
    attempt = next(iter(attempts(frozen).made(GRID)))
    assert attempt.done == (ROUNDED,)
    graph = Scalable(frozen)
    (kernel,) = graph.kernels.values()
    matrices = as_matrices(kernel)
    step = np.abs(matrices).max(axis=1, keepdims=True) / 15
    graph.change(kernel).values = from_matrices(kernel, np.rint(matrices / step) * step)
    expected = answers(frozen, values)
    by_weight = level_db(expected, answers(graph.frozen(), values))
    assert level_db(expected, answers(attempt.graph, values)) > by_weight + 1


@pytest.mark.parametrize("name", ["convolution", "depthwise", "dense"])
def test_a_quantizer_that_takes_the_largest_weight_finds_the_same_grid(name: str) -> None:
    grid = dict.fromkeys(GRID, 127)
    attempt = next(iter(attempts(one_layer(name)).made(grid)))
    (kernel,) = Scalable(attempt.graph).kernels.values()
    channels = as_matrices(kernel).transpose(1, 0, 2)
    channels = channels.reshape(len(channels), -1).astype(np.float32)
    integers, scales = symmetric_int8(channels, 1)
    assert (np.abs(integers).max(axis=0) == 127).all()
    np.testing.assert_allclose(integers * scales, channels, atol=1e-6)


def test_zeros_stay_zeros() -> None:
    frozen = one_layer("convolution")
    graph = Scalable(frozen)
    (kernel,) = graph.kernels.values()
    mask = np.random.default_rng(0).uniform(size=kernel.values.shape) < 0.5
    graph.change(kernel).values = np.where(mask, 0, kernel.values)
    attempt = next(iter(attempts(graph.frozen()).made(GRID)))
    (rounded,) = Scalable(attempt.graph).kernels.values()
    assert (rounded.values[mask] == 0).all()


def test_attempts_are_the_same_each_time() -> None:
    frozen = one_layer("convolution")
    made = [next(iter(attempts(frozen).made(GRID))).graph.graph_def for _ in range(2)]
    assert made[0] == made[1]


def test_what_has_no_spread_is_not_tried_equalized() -> None:
    done = [attempt.done for attempt in attempts(one_layer("dense")).made(GRID)]
    assert done == [(ROUNDED,)]


def test_a_channel_that_is_unlike_the_others_is_tried_equalized_and_rounded() -> None:
    keras.utils.set_random_seed(0)
    x = keras.Input((12, 12, 3), name="x")
    net = keras.Model(x, layers.Conv2D(4, 3)(layers.Conv2D(8, 3, activation="relu")(x)))
    kernel, bias = net.layers[1].get_weights()
    net.layers[1].set_weights([kernel * np.r_[np.ones(7), 40.0], bias])
    done = [attempt.done for attempt in attempts(freeze_model(net)).made(GRID)]
    assert done == [(EQUALIZED, ROUNDED), (ROUNDED,), (EQUALIZED,)]


def test_only_operators_with_a_grid_are_rounded() -> None:
    assert not attempts(one_layer("convolution")).covers({"MatMul": 127})
    assert attempts(one_layer("convolution")).covers(GRID)


def test_layers_without_a_bias_behind_one_another_are_rounded_and_get_one() -> None:
    keras.utils.set_random_seed(0)
    x = keras.Input((12, 12, 3), name="x")
    y = layers.Conv2D(4, 3, use_bias=False)(layers.Conv2D(8, 3, use_bias=False)(x))
    made = list(attempts(freeze_model(keras.Model(x, y))).made(GRID))
    # With a bias, the second layer reads another node than it did.
    assert any(node.op == "BiasAdd" for node in made[0].graph.graph_def.node)
