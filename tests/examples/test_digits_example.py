"""The committed files of examples/digits are what its README says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from edgekit_runtimes.tensors import Arrays, cast_losslessly

FOLDER = Path(__file__).parents[2] / "examples" / "digits"
MAX_BYTES = 400_000
MIN_ACCURACY = 0.97


@pytest.fixture(scope="module")
def model() -> Any:
    return keras.saving.load_model(FOLDER / "digits.keras")


@pytest.fixture(scope="module")
def data() -> Arrays:
    with np.load(FOLDER / "digits.npz", allow_pickle=False) as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def logits(model: Any, data: Arrays) -> Any:
    images = cast_losslessly(data["x_test"], model.inputs[0].dtype)
    return model.predict(images, batch_size=250, verbose=0)


@pytest.mark.parametrize("name", ["digits.keras", "digits.npz"])
def test_a_file_is_at_most_400_kb(name: str) -> None:
    assert (FOLDER / name).stat().st_size <= MAX_BYTES


def test_the_arrays_are_uint8_digits_with_their_labels(data: Arrays) -> None:
    assert sorted(data) == ["x", "x_test", "y", "y_test"]
    assert {array.dtype.name for array in data.values()} == {"uint8"}
    for x, y in (("x", "y"), ("x_test", "y_test")):
        assert data[x].shape == (len(data[y]), 28, 28, 1)
        assert data[x].min() == 0
        assert data[x].max() == 255


def test_both_parts_have_as_many_digits_of_each_class(data: Arrays) -> None:
    assert np.bincount(data["y"]).tolist() == [20] * 10
    assert np.bincount(data["y_test"]).tolist() == [100] * 10


def test_no_digit_is_in_both_parts_or_twice_in_one(data: Arrays) -> None:
    digits = [digit.tobytes() for part in ("x", "x_test") for digit in data[part]]
    assert len(set(digits)) == len(data["x"]) + len(data["x_test"])


def test_there_is_a_class_name_for_each_logit(model: Any) -> None:
    names = (FOLDER / "classes.txt").read_text().splitlines()
    assert names == [str(digit) for digit in range(10)]
    assert model.output_shape == (None, len(names))


def test_the_held_back_digits_are_recognized(logits: Any, data: Arrays) -> None:
    assert np.mean(logits.argmax(axis=1) == data["y_test"]) >= MIN_ACCURACY


def test_every_class_of_the_held_back_digits_is_recognized(logits: Any, data: Arrays) -> None:
    for digit in range(10):
        of_class = data["y_test"] == digit
        assert np.mean(logits[of_class].argmax(axis=1) == digit) >= 0.9


def test_the_model_takes_pixels_and_gives_logits(model: Any, logits: Any) -> None:
    image, rescaling = model.inputs[0], model.layers[1]
    assert (image.name, image.shape, image.dtype) == ("image", (None, 28, 28, 1), "float32")
    assert isinstance(rescaling, layers.Rescaling)
    assert rescaling.scale == pytest.approx(1 / 255)
    assert model.layers[-1].name == "digit"
    assert logits.min() < 0
    assert logits.max() > 1


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        (layers.Conv2D, 6),
        (layers.DepthwiseConv2D, 5),
        (layers.BatchNormalization, 11),
        (layers.ReLU, 11),
        (layers.Add, 2),
        (layers.GlobalAveragePooling2D, 1),
        (layers.Dense, 1),
    ],
)
def test_the_model_has_every_kind_of_layer_that_converters_fuse(
    model: Any, kind: type, count: int
) -> None:
    assert sum(type(layer) is kind for layer in model.layers) == count


def test_every_relu_is_a_relu6(model: Any) -> None:
    relus = [layer for layer in model.layers if isinstance(layer, layers.ReLU)]
    assert {float(layer.max_value) for layer in relus} == {6.0}


def test_every_batch_norm_has_trained_statistics(model: Any) -> None:
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            assert np.abs(layer.moving_mean.numpy()).max() > 0.01
            assert np.abs(layer.moving_variance.numpy() - 1).max() > 0.01


def test_no_optimizer_state_is_stored(model: Any) -> None:
    assert not model.compiled
    assert 30_000 <= model.count_params() <= 80_000
