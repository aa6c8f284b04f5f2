"""Specs, preprocessing, quantization and the JSON form of arrays."""

from __future__ import annotations

import json

import numpy as np
import pytest

from edgekit_runtimes.errors import DataError
from edgekit_runtimes.tensors import (
    Preprocessing,
    TensorSpec,
    cast_losslessly,
    decode_array,
    dequantize,
    encode_array,
    is_batched,
    pick_sample,
    quantize,
    unbatch,
)

INT8 = TensorSpec("x", (None, 2), "int8", (0.5, -10))


def test_a_spec_survives_json() -> None:
    for spec in (INT8, TensorSpec("y", (), "float32")):
        assert TensorSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


def test_a_spec_reads_well() -> None:
    assert str(TensorSpec("image", (None, 28, 28, 1), "uint8")) == "image: uint8[?, 28, 28, 1]"


def test_only_a_free_first_axis_or_one_of_size_1_is_a_batch() -> None:
    free, one = TensorSpec("a", (None, 4), "float32"), TensorSpec("b", (1, 4), "float32")
    fixed, scalar = TensorSpec("c", (4,), "float32"), TensorSpec("d", (), "float32")
    assert is_batched([free, one])
    assert not is_batched([free, fixed])
    assert not is_batched([scalar])


def test_a_sample_keeps_the_batch_axis_only_where_there_is_one() -> None:
    arrays = {"x": np.arange(6).reshape(3, 2)}
    assert pick_sample(arrays, 1, batched=True)["x"].tolist() == [[2, 3]]
    assert pick_sample(arrays, 1, batched=False)["x"].tolist() == [2, 3]
    assert unbatch(np.ones((1, 2)), batched=True).shape == (2,)
    assert unbatch(np.ones((1, 2)), batched=False).shape == (1, 2)
    assert unbatch(np.float32(1).reshape(()), batched=True).shape == ()


def test_quantizing_rounds_and_clips() -> None:
    values = np.array([0.0, 1.0, 1.1, 1000.0, -1000.0], np.float32)
    assert quantize(values, INT8).tolist() == [-10, -8, -8, 127, -128]
    assert quantize(values, INT8).dtype == np.int8


def test_dequantizing_gives_the_numbers_back_within_half_a_step() -> None:
    values = np.linspace(-58, 68, 1001, dtype=np.float32)
    back = dequantize(quantize(values, INT8), INT8)
    assert back.dtype == np.float32
    assert np.abs(back - values).max() <= 0.25


def test_integers_are_not_quantized_again() -> None:
    integers = np.array([3, 4], np.int8)
    assert quantize(integers, INT8) is integers


def test_preprocessing_scales_then_centres_each_channel() -> None:
    preprocessing = Preprocessing(scale=1 / 255, mean=(0.5, 0.25), std=(0.5, 2.0))
    image = np.array([[[0, 255]], [[255, 0]]], np.uint8)
    result = preprocessing.apply(image, "float32")
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, [[[-1, 0.375]], [[1, -0.125]]], rtol=1e-6)
    assert Preprocessing.from_json(json.loads(json.dumps(preprocessing.to_json()))) == preprocessing


@pytest.mark.parametrize(
    ("values", "dtype"),
    [(np.array([0, 255], np.uint8), "float32"), (np.array([1, 2], np.int64), "int32")],
)
def test_casts_that_keep_every_value_are_done(values: np.ndarray, dtype: str) -> None:
    cast = cast_losslessly(values, dtype)
    assert cast.dtype == dtype
    assert cast.tolist() == values.tolist()


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (np.array([0.5], np.float32), "uint8"),
        (np.array([2**40], np.int64), "int32"),
        (np.array([-1], np.int8), "uint8"),
    ],
)
def test_a_cast_that_loses_values_is_refused_by_name(values: np.ndarray, dtype: str) -> None:
    with pytest.raises(
        DataError, match=rf"'image' is {values.dtype.name} and the model .* {dtype}"
    ):
        Preprocessing().apply(values, dtype, "image")


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8", "int64", "bool"])
def test_an_array_survives_json(dtype: str) -> None:
    array = np.array([[0, 1, 2], [3, 4, 5]]).astype(dtype)
    for value in (array, array[:0], array[0, 1]):
        back = decode_array(json.loads(json.dumps(encode_array(value))))
        assert back.dtype == value.dtype
        assert back.shape == value.shape
        np.testing.assert_array_equal(back, value)


def test_big_endian_data_is_encoded_as_the_same_numbers() -> None:
    array = np.array([1, 258], ">i4")
    assert decode_array(encode_array(array)).tolist() == [1, 258]
