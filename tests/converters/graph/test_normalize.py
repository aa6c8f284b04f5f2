"""Idioms of Keras and TensorFlow in ops that every format reads: the same answers, other ops."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from graph_tools import check_same, frozen
from keras import layers
from tfjs_tools import noise, ops

from edgekit_converters.graph.normalize import apply, bucketize, normalize
from edgekit_converters.graph.substitutes import (
    elementary,
)
from edgekit_runtimes.errors import SourceError


@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_the_argmax_of_keras_loses_its_bit_operations(name: str) -> None:
    before = frozen(lambda x: getattr(keras.ops, name)(x, axis=-1), x=((None, 6), "float32"))
    after = normalize(before)
    assert ops(before)["Bitcast"] == 1
    assert not ops(after).keys() & {"Bitcast", "BitwiseAnd", "SelectV2"}
    check_same(before, after)


@pytest.mark.parametrize("half", ["float16", "bfloat16"])
def test_an_argmax_in_half_precision_is_right(half: str) -> None:
    before = frozen(
        lambda x: keras.ops.argmax(keras.ops.cast(x, half), axis=-1), x=((None, 6), "float32")
    )
    after = normalize(before)
    assert "Bitcast" not in ops(after)
    check_same(before, after, {"x": np.float32([[1, 3, 2, 0, -1, 2], [-3, -2, -1, -4, -5, -6]])})


def test_a_selection_of_another_number_than_argmax_s_stays() -> None:
    def choose(x: Any) -> Any:
        bits = tf.bitwise.bitwise_and(tf.bitcast(x, tf.int32), np.int32(-(2**31)))
        return tf.where((x == 0) & (bits < 0), -1.0, x)

    before = frozen(choose, x=((None, 6), "float32"))
    assert normalize(before) is before


def test_bits_of_half_precision_stay_what_they_are() -> None:
    before = frozen(lambda x: tf.bitcast(tf.cast(x, "float16"), tf.int16), x=((2, 3), "float32"))
    assert normalize(before) is before


def test_a_selection_that_only_resembles_argmax_stays() -> None:
    before = frozen(lambda x: tf.where((x == 0) & (x < 1), -1.0, x), x=((None, 6), "float32"))
    assert normalize(before) is before


def test_a_shape_that_is_ensured_is_passed_on() -> None:
    before = frozen(lambda x: tf.ensure_shape(x, (None, 6)) + 1, x=((None, 6), "float32"))
    after = normalize(before)
    assert "EnsureShape" not in ops(after)
    check_same(before, after)


@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_buckets_become_comparisons_also_at_their_boundaries(dtype: str) -> None:
    layer = layers.Discretization([-1.0, 0.5, 2.0], dtype=dtype if dtype == "int32" else None)
    before = frozen(
        lambda x: tf.raw_ops.Bucketize(input=x, boundaries=layer.bin_boundaries),
        x=((None, 7), dtype),
    )
    after = apply(before, bucketize.rewrite)
    assert "Bucketize" not in ops(after)
    x = np.array([[-2, -1, 0, 0.5, 1, 2, 3]]).astype(dtype)
    check_same(before, after, {"x": x})


@pytest.mark.parametrize("mode", ["multi_hot", "count"])
def test_counted_categories_become_one_hot_codes(mode: str) -> None:
    layer = layers.CategoryEncoding(10, output_mode=mode)
    before = frozen(layer, x=((None, 5), "int32"))
    after = normalize(before)
    assert ops(before)["DenseBincount"] == 1
    assert "DenseBincount" not in ops(after)
    check_same(before, after)


def test_one_hot_codes_of_integers_are_made_in_float32() -> None:
    def encode(x: Any) -> Any:
        return tf.one_hot(x, 10, on_value=3, off_value=-1, axis=1, dtype=tf.int64)

    before = frozen(encode, x=((None, 4), "int32"))
    check_same(before, normalize(before))


@pytest.mark.parametrize("half", ["float16", "bfloat16"])
def test_half_precision_becomes_float32_inside_and_stays_at_the_ends(half: str) -> None:
    kernel = tf.constant(np.linspace(-1, 1, 24).reshape(8, 3), half)
    before = frozen(lambda x: tf.cast(x, half) @ kernel, x=((None, 8), "float32"))
    after = normalize(before)
    (product,) = (node for node in after.graph_def.node if node.op == "MatMul")
    assert product.attr["T"].type == tf.float32.as_datatype_enum
    assert after.output_specs[0].dtype == half
    inputs = noise(before)
    found, expected = (np.float32(graph.run(inputs)["y"]) for graph in (after, before))
    np.testing.assert_allclose(found, expected, atol=0.05)


def test_erfc_is_said_by_erf() -> None:
    before = frozen(tf.math.erfc, x=((None, 6), "float32"))
    after = apply(before, elementary.without("Erfc"))
    assert "Erfc" not in ops(after)
    check_same(before, after)


def test_a_graph_without_idioms_is_the_very_same() -> None:
    before = frozen(lambda x: tf.nn.relu(x) * 2, x=((None, 6), "float32"))
    assert normalize(before) is before


def test_no_custom_gradient_is_kept() -> None:
    before = frozen(keras.activations.silu, x=((None, 6), "float32"))
    assert not any("_gradient_op_type" in node.attr for node in before.graph_def.node)


@pytest.mark.parametrize("keys", [[1, 5, 9], [1, 5, 9_000_000], [-3, 4]])
def test_a_table_of_integers_becomes_constants(keys: list[int]) -> None:
    layer = layers.IntegerLookup(vocabulary=keys)
    graph = frozen(layer, x=((None, 6), "int32"))
    assert not any(node.op.startswith("LookupTable") for node in graph.graph_def.node)
    x = np.array([[*keys[:2], keys[-1], 0, 2**31 - 1, -(2**31)]], np.int32)
    assert graph.run({"x": x})["y"].tolist() == np.asarray(layer(x)).tolist()


def test_a_table_of_strings_is_refused_with_what_to_do() -> None:
    layer = layers.StringLookup(vocabulary=["a", "b"])
    with pytest.raises(SourceError, match=r"table of string .*Tables of integers convert"):
        frozen(layer, x=((None, 2), "string"))


def test_seeds_that_only_training_needs_vanish() -> None:
    keras.utils.set_random_seed(1)
    layer = layers.LSTM(4, dropout=0.2, recurrent_dropout=0.1)
    x = np.random.default_rng(0).standard_normal((1, 6, 3)).astype(np.float32)
    expected = np.asarray(layer(x))
    graph = frozen(layer, x=((1, 6, 3), "float32"))
    np.testing.assert_allclose(graph.run({"x": x})["y"], expected, atol=1e-6)


def test_a_state_that_is_kept_between_calls_is_refused_with_what_to_do() -> None:
    layer = layers.LSTM(4, stateful=True, name="memory")
    layer.build((1, 6, 3))
    with pytest.raises(SourceError, match=r"keeps a state .*return_state=True"):
        frozen(layer, x=((1, 6, 3), "float32"))
