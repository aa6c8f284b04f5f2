"""How single weights are stored, and what they are when they come back."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit_converters.tfjs.weights import MIN_UINT8_ELEMENTS, decode, encode, spared, stored_size
from edgekit_runtimes.errors import ArtifactError, ConversionError

LARGE = np.random.default_rng(0).standard_normal((30, 50)).astype(np.float32)


def stored(value, quantization):
    entry, data = encode("w", value, quantization)
    assert stored_size(entry) == len(data)
    back = decode(entry, data)
    assert back.dtype == value.dtype
    assert back.shape == value.shape
    return back, len(data), entry


@pytest.mark.parametrize("quantization", ["fp32", "fp16", "int8-weights"])
@pytest.mark.parametrize(
    "value",
    [
        np.arange(2_000, dtype=np.int32),
        np.array(-7, np.int32),
        np.array([True, False]),
        np.array([1 + 2j], np.complex64),
        np.zeros((0, 3), np.float32),
        np.zeros(2_000, np.float32),
        np.array([1e9, np.inf, 0], np.float32),
        np.array([1e9, np.inf, 0] * 1_000, np.float32),
    ],
)
def test_integers_and_what_float16_cannot_hold_come_back_as_they_were(value, quantization):
    assert np.array_equal(stored(value, quantization)[0], value)


def test_fp16_takes_half_and_rounds_to_eleven_bits():
    back, size, entry = stored(LARGE, "fp16")
    assert size == LARGE.nbytes / 2
    assert entry["quantization"] == {"dtype": "float16", "original_dtype": "float32"}
    assert np.allclose(back, LARGE, rtol=2**-11, atol=0)


def test_int8_weights_takes_a_quarter_and_rounds_to_the_nearest_level():
    back, size, entry = stored(LARGE, "int8-weights")
    assert size == LARGE.nbytes / 4
    assert entry["quantization"]["dtype"] == "uint8"
    level = (LARGE.max() - LARGE.min()) / 255
    assert np.abs(back - LARGE).max() <= level
    assert np.abs(back - LARGE).mean() < 0.26 * level


def test_zero_stays_zero_so_that_pruned_weights_stay_pruned():
    pruned = np.where(np.abs(LARGE) < 0.5, 0, LARGE + 3).astype(np.float32)
    for value in (pruned, -pruned):
        back, _, _ = stored(value, "int8-weights")
        assert np.array_equal(back[pruned == 0], value[pruned == 0])


def test_a_large_weight_of_one_value_is_kept_well():
    value = np.full(2_000, 0.7, np.float32)
    assert np.allclose(stored(value, "int8-weights")[0], value, rtol=1e-6)


def test_small_kernels_stay_in_float16_where_they_are_few_and_biases_always():
    large, first, bias = LARGE.reshape(-1)[: MIN_UINT8_ELEMENTS * 10], LARGE[:3, :9], LARGE[0, :9]
    weights = {"large": large, "first": first, "bias": bias, "places": np.arange(4)}
    assert spared(weights) == {"first", "bias"}


def test_small_kernels_that_are_the_model_are_stored_in_8_bits():
    weights = {"hidden": LARGE[:8, :9], "last": LARGE[:2, :4], "bias": LARGE[0, :4]}
    assert spared(weights) == {"last", "bias"}


def test_a_type_that_the_format_does_not_have_is_refused():
    with pytest.raises(ConversionError, match=r"The constant 'w' is object, which TF\.js does not"):
        encode("w", np.array(["text"], object), "fp32")


def test_an_unknown_storage_is_reported_with_the_name_of_the_weight():
    entry = {"name": "w", "shape": [1], "dtype": "float32", "quantization": {"dtype": "int3"}}
    with pytest.raises(ArtifactError, match="the weight 'w' is stored as int3"):
        decode(entry, b"\0")
