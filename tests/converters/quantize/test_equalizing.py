"""Channels that are scaled: the same answers, and less noise where some were unlike."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers
from models import freeze_model
from norm_nets import EXACT_DB, NETS, answers, images, level_db, norm_net

from edgekit_converters.calibration import Calibration
from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_converters.quantize.channels import FIXED
from edgekit_converters.quantize.equalize import LARGEST_RATIO, equalizing_scales
from edgekit_converters.quantize.folding import fold_affines
from edgekit_converters.quantize.leveling import level
from edgekit_converters.quantize.observed import Observed, observe
from edgekit_converters.quantize.rescale import Scalable


def observed(frozen: FrozenGraph) -> tuple[Scalable, Observed]:
    graph = Scalable(frozen)
    calibration = Calibration(lambda: ({"x": one[None]} for one in images(16)), 16)
    tensors = graph.channels().tensors
    return graph, observe(graph.frozen(), calibration, tensors, graph.kernels)


@pytest.mark.parametrize("name", NETS)
def test_any_scales_that_channels_allow_leave_the_answers_as_they_are(name: str) -> None:
    frozen, values = freeze_model(norm_net(name)), images(4)
    graph = Scalable(frozen)
    channels = graph.channels()
    scales = np.exp(np.random.default_rng(0).uniform(-1, 1, channels.count))
    scales[FIXED] = 1
    assert channels.tensors
    graph.rescale(channels, scales)
    assert level_db(answers(frozen, values), answers(graph.frozen(), values)) > EXACT_DB


def test_the_branches_of_a_sum_share_their_scales_and_what_follows_a_layer_does_not() -> None:
    x = keras.Input((8, 8, 2), name="x")
    one, two = layers.Conv2D(3, 1, name="one")(x), layers.Conv2D(3, 1, name="two")(x)
    y = layers.Conv2D(3, 1, name="end")(layers.ReLU()(layers.Add()([one, two])))
    graph = Scalable(freeze_model(keras.Model(x, y)))
    channels = graph.channels()
    by_layer = {name.split("/")[1]: name for name in graph.kernels}
    one_numbers, two_numbers = (channels.of(by_layer[f"{key}_1"]) for key in ("one", "two"))
    assert one_numbers.tolist() == two_numbers.tolist()
    assert len({*one_numbers.tolist(), FIXED}) == 4
    assert channels.of(by_layer["end_1"]).tolist() == [FIXED] * 3
    assert channels.of(graph.graph.inputs["x"]).tolist() == [FIXED] * 2


def test_a_channel_that_is_unlike_the_others_is_brought_near_them() -> None:
    keras.utils.set_random_seed(0)
    net = keras.Sequential(
        [
            keras.Input((12, 12, 3), name="x"),
            layers.Conv2D(8, 3, activation="relu"),
            layers.Conv2D(4, 3),
        ]
    )
    kernel, bias = net.layers[0].get_weights()
    net.layers[0].set_weights([kernel * np.r_[np.ones(7), 40.0], bias])
    graph, found = observed(freeze_model(net))
    channels = graph.channels()
    scales = equalizing_scales(graph, channels, found, 127)
    numbers = channels.of(next(iter(graph.kernels)))
    assert scales[numbers[-1]] > 3 * scales[numbers[:-1]].max()
    assert scales.max() <= LARGEST_RATIO
    rescaled = found.rescaled(graph.kernels, channels, scales)
    graph.rescale(channels, scales)
    _, seen = observed(graph.frozen())
    for name, one in seen.seen.items():
        np.testing.assert_allclose(one.products, rescaled.seen[name].products, rtol=1e-3)


def test_channels_that_are_alike_are_left_alone() -> None:
    keras.utils.set_random_seed(0)
    net = keras.Sequential(
        [keras.Input((12, 12, 3), name="x"), layers.Conv2D(4, 3, use_bias=False)]
    )
    graph, found = observed(freeze_model(net))
    assert (equalizing_scales(graph, graph.channels(), found, 127) == 1).all()


@pytest.mark.parametrize("name", ["padded", "depthwise"])
def test_leveled_kernels_answer_as_before_and_lose_less_to_one_scale_each(name: str) -> None:
    frozen, values = fold_affines(freeze_model(norm_net(name))), images(4)
    expected = answers(frozen, values)
    leveled = level(frozen)
    assert leveled is not frozen
    assert level_db(expected, answers(leveled, values)) > EXACT_DB
    before, after = (
        level_db(expected, answers(in_steps(graph), values)) for graph in (frozen, leveled)
    )
    assert after > before + 2


def in_steps(frozen: FrozenGraph) -> FrozenGraph:
    """Return the graph with each kernel rounded to 63 steps either way."""
    graph = Scalable(frozen)
    for kernel in graph.kernels.values():
        step = np.abs(kernel.values).max() / 63
        graph.change(kernel).values = np.rint(kernel.values / step) * step
    return graph.frozen()
