"""Seeded noise, and the hash of arrays."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit.data import NOISE_GENERATOR, arrays_hash, noise
from edgekit_runtimes.tensors import TensorSpec

SPECS = (
    TensorSpec("image", (None, 16, 16, 3), "float32"),
    TensorSpec("pixels", (None, 50, 50), "uint8"),
    TensorSpec("ids", (None, 400), "int32"),
    TensorSpec("mask", (None, 400), "bool"),
)

# What the generator of this name makes, on every machine and numpy. A bundle stores only that
# name, the seed and such a hash: when this changes, the name must change too.
GENERATOR = "numpy.PCG64/sum-of-12-uint16"
HASH = "624f18439df9f1e17404e6e48d04e1380db8af11feb984bb9f82afe88884dd88"


def test_noise_is_the_same_bits_on_every_machine() -> None:
    assert NOISE_GENERATOR == GENERATOR
    assert arrays_hash(noise(SPECS, 4, seed=1)) == HASH


def test_noise_has_the_shape_and_dtype_of_the_inputs() -> None:
    arrays = noise(SPECS, 4, seed=1)
    assert {name: (array.shape, array.dtype.name) for name, array in arrays.items()} == {
        "image": ((4, 16, 16, 3), "float32"),
        "pixels": ((4, 50, 50), "uint8"),
        "ids": ((4, 400), "int32"),
        "mask": ((4, 400), "bool"),
    }


def test_noise_is_normal_for_real_numbers_and_in_range_for_integers() -> None:
    arrays = noise(SPECS, 40, seed=1)
    image = arrays["image"]
    # 30,720 values: the mean of as many normal numbers is off by more than .03 once in 10^7.
    assert abs(image.mean()) < 0.03
    assert abs(image.std() - 1) < 0.03
    within = [(np.abs(image) < sigma).mean() for sigma in (1, 2)]
    assert within == pytest.approx([0.683, 0.954], abs=0.01)
    assert (arrays["pixels"].min(), arrays["pixels"].max()) == (0, 255)
    assert set(np.unique(arrays["ids"])) == {0, 1}
    assert 0.4 < arrays["mask"].mean() < 0.6


def test_samples_and_seeds_differ() -> None:
    arrays = noise(SPECS, 2, seed=1)
    assert not np.array_equal(arrays["image"][0], arrays["image"][1])
    assert arrays_hash(arrays) != arrays_hash(noise(SPECS, 2, seed=2))


def test_the_hash_sees_names_dtypes_shapes_and_values_and_nothing_else() -> None:
    x = np.arange(6, dtype=np.int16).reshape(2, 3)
    same = [
        {"a": x, "b": x},
        {"b": x, "a": x},
        {"a": np.asfortranarray(x), "b": x.astype(">i2")},
    ]
    assert len({arrays_hash(arrays) for arrays in same}) == 1
    others = [
        {"a": x, "c": x},
        {"a": x, "b": x.astype(np.int32)},
        {"a": x, "b": x.reshape(3, 2)},
        {"a": x, "b": x + 1},
        {"a": x, "b": x[:0]},
    ]
    assert len({arrays_hash(arrays) for arrays in [same[0], *others]}) == 6
