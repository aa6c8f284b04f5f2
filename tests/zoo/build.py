"""Nets become models: one case by itself, or several side by side in one model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
from zoo.case import SAMPLES, SEED, Arrays, Case

from edgekit_converters.sources.keras.load import tensor_name


@dataclass(frozen=True)
class Built:
    """A model, its samples by input, and which of its outputs are whose (None: all of the one)."""

    model: keras.Model
    samples: Arrays
    outputs: dict[str, list[str]] | None


def build(cases: Sequence[Case]) -> Built:
    """Return the model of one case, or of several that are side by side."""
    keras.utils.set_random_seed(SEED)
    if len(cases) == 1 and cases[0].model is not None:
        model = cases[0].model()
        names = [tensor_name(tensor) for tensor in model.inputs]
        if not cases[0].group.startswith("keras."):
            stir(model)
        samples = {
            name: feed.sample(SAMPLES, number)
            for number, (name, feed) in enumerate(zip(names, cases[0].feeds, strict=True))
        }
        return Built(model, samples, None)
    return _side_by_side(cases)


def _side_by_side(cases: Sequence[Case]) -> Built:
    inputs, outputs, feeds, owners = [], [], [], {}
    for number, case in enumerate(cases):
        own = []
        for place, feed in enumerate(case.feeds):
            name = f"in{number}_{place}"
            own.append(keras.Input(feed.shape, name=name, dtype=feed.dtype))
            feeds.append((feed, place))
        assert case.apply is not None
        results = keras.tree.flatten(case.apply(*own))
        names = [f"out{number}_{place}" for place in range(len(results))]
        outputs += [
            keras.layers.Identity(name=name, dtype=result.dtype)(result)
            for name, result in zip(names, results, strict=True)
        ]
        inputs += own
        owners[case.id] = names
    model = keras.Model(inputs, outputs)
    stir(model)
    # Keras renames an input that is an output too.
    samples = {
        tensor_name(tensor): feed.sample(SAMPLES, place)
        for tensor, (feed, place) in zip(model.inputs, feeds, strict=True)
    }
    return Built(model, samples, owners)


def stir(model: keras.Model) -> None:
    """Give weights that are still zeros or ones other values, as training would."""
    make = np.random.default_rng(SEED)
    for weight in model.weights:
        value = np.asarray(weight)
        if value.dtype.kind != "f" or not value.size or np.ptp(value):
            continue
        low, high = (0.5, 1.5) if value.flat[0] else (-0.2, 0.2)
        weight.assign(make.uniform(low, high, value.shape).astype(value.dtype))
