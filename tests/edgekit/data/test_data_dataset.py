"""What every dataset does, wherever its samples come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgekit.data import DataOptions, open_data
from edgekit_runtimes.errors import UsageError
from edgekit_runtimes.tensors import TensorSpec

IMAGE = TensorSpec("image", (None, 2, 2, 3), "float32")


def numbered(tmp_path: Path, count: int) -> Any:
    """A dataset whose samples hold their own number, labelled by tens, as sorted data is."""
    path = tmp_path / "d.npz"
    np.savez_compressed(path, x=np.arange(count)[:, None], y=np.arange(count) // 10)
    return open_data(str(path), [TensorSpec("number", (None, 1), "float32")], "calibration")


def test_preprocessing_scales_then_normalizes_each_channel(tmp_path: Path) -> None:
    np.save(tmp_path / "d.npy", np.full((1, 2, 2, 3), 255, np.uint8))
    options = DataOptions(scale=1 / 255, mean=(0.5, 0.0, 1.0), std=(0.5, 2.0, 1.0))
    dataset = open_data(str(tmp_path / "d.npy"), [IMAGE], "calibration", options)
    (arrays,) = dataset.model_inputs()
    assert arrays["image"].shape == (1, 2, 2, 3)
    assert arrays["image"].dtype == np.float32
    np.testing.assert_allclose(arrays["image"][0, 0, 0], [1.0, 0.5, 0.0], atol=1e-6)
    assert dataset.preprocessing.to_json() == {
        "scale": 1 / 255,
        "mean": [0.5, 0.0, 1.0],
        "std": [0.5, 2.0, 1.0],
        "resize": None,
    }


def test_a_limit_draws_the_same_samples_from_all_classes_every_time(tmp_path: Path) -> None:
    dataset = numbered(tmp_path, 100)
    drawn = [int(sample.arrays["number"][0]) for sample in dataset.take(40)]
    assert len(drawn) == 40
    assert drawn == sorted(set(drawn))
    assert {number // 10 for number in drawn} == set(range(10))
    assert [int(arrays["number"][0, 0]) for arrays in dataset.model_inputs(40)] == drawn
    assert [int(sample.label) for sample in dataset.take(40)] == [n // 10 for n in drawn]


def test_a_limit_beyond_the_data_takes_all(tmp_path: Path) -> None:
    assert len(list(numbered(tmp_path, 7).take(40))) == 7


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (DataOptions(scale=0), r"--scale 0 is not a factor"),
        (DataOptions(std=(1, 0, 1)), "--std holds 0"),
        (DataOptions(mean=(1, 2)), r"--mean has 2 numbers.*Give one number, or 3"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(
    tmp_path: Path, options: DataOptions, message: str
) -> None:
    np.save(tmp_path / "d.npy", np.zeros((1, 2, 2, 3)))
    with pytest.raises(UsageError, match=message):
        open_data(str(tmp_path / "d.npy"), [IMAGE], "calibration", options)


def test_scaling_for_a_model_that_takes_integers_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "d.npy", np.zeros((1, 2, 2, 3), np.uint8))
    spec = TensorSpec("image", (None, 2, 2, 3), "uint8")
    with pytest.raises(UsageError, match=r"--scale, --std would make real numbers"):
        open_data(str(tmp_path / "d.npy"), [spec], "calibration", DataOptions(scale=2, std=(2,)))
