"""Samples with their channels first or last, told apart by their shape."""

import numpy as np
import pytest

from edgekit.data import open_data
from edgekit_runtimes.errors import DataError
from edgekit_runtimes.tensors import TensorSpec

IMAGE = TensorSpec("image", (None, 4, 5, 3), "float32")
AXES = {"image": (0, 3, 1, 2)}


def values(path, spec=IMAGE, axes=AXES):
    return np.stack(
        [s.arrays["image"] for s in open_data(str(path), [spec], "calibration", axes=axes)]
    )


@pytest.fixture
def last():
    return np.random.default_rng(0).random((6, 4, 5, 3), np.float32)


def test_arrays_fit_in_either_order(tmp_path, last):
    for number, array in enumerate((last, np.ascontiguousarray(np.moveaxis(last, 3, 1)))):
        np.save(tmp_path / f"{number}.npy", array)
        np.savez(tmp_path / f"{number}.npz", image=array)
        assert np.array_equal(values(tmp_path / f"{number}.npy"), last)
        assert np.array_equal(values(tmp_path / f"{number}.npz"), last)


def test_without_another_order_the_shape_must_be_the_models(tmp_path, last):
    np.save(tmp_path / "d.npy", np.moveaxis(last, 3, 1))
    with pytest.raises(DataError, match="The channels come first"):
        values(tmp_path / "d.npy", axes=None)


def test_a_shape_that_fits_both_orders_is_an_error_that_names_the_option(tmp_path):
    np.save(tmp_path / "d.npy", np.zeros((6, 3, 3, 3), np.float32))
    spec = TensorSpec("image", (None, 3, 3, 3), "float32")
    with pytest.raises(DataError, match="convert with --layout nchw or --layout nhwc"):
        values(tmp_path / "d.npy", spec)


def test_what_fits_neither_order_is_refused_as_ever(tmp_path):
    np.save(tmp_path / "d.npy", np.zeros((6, 7, 7, 3), np.float32))
    with pytest.raises(DataError, match=r"has shape \(7, 7, 3\) and the model takes \(4, 5, 3\)"):
        values(tmp_path / "d.npy")
