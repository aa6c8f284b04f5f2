"""Operators that a format lacks, in operators that it has: the same answers, no matter the data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from graph_tools import check_same, frozen
from keras import layers
from models import freeze_model
from tfjs_tools import ops

from edgekit_converters.graph.normalize import apply, normalize
from edgekit_converters.graph.substitutes import (
    cumprod,
    diagonals,
    einsum,
    elementary,
    fourier,
    groups_3d,
    pools_3d,
    resize,
    roll,
    space_to_depth,
    volumes_transposed,
)

K = keras.ops
LONG, IMAGE, VOLUME = (None, 9, 4), (None, 6, 8, 3), (None, 5, 6, 7, 2)
KERNEL = np.random.default_rng(0).standard_normal((3, 2, 4, 3, 2)).astype(np.float32)


def cubic(x: Any) -> Any:
    return K.image.resize(x, (5, 13), interpolation="bicubic")


REWRITTEN: dict[str, tuple[Callable[..., Any], Any, Any, str]] = {
    "cumprod": (lambda x: K.cumprod(x, axis=1), LONG, cumprod, "Cumprod"),
    "cumprod of the last axis": (lambda x: K.cumprod(x, axis=-1), LONG, cumprod, "Cumprod"),
    "roll": (lambda x: K.roll(x, -2, axis=1), LONG, roll, "Roll"),
    "roll along two axes": (lambda x: tf.roll(x, [3, -1], [2, 1]), IMAGE, roll, "Roll"),
    "a diagonal": (lambda x: tf.linalg.diag_part(x, k=1), LONG, diagonals, "MatrixDiagPartV3"),
    "space to depth": (
        lambda x: tf.nn.space_to_depth(x, 2),
        IMAGE,
        space_to_depth,
        "SpaceToDepth",
    ),
    "a cubic resize": (cubic, IMAGE, resize, "ResizeBicubic"),
    "an area resize": (
        lambda x: tf.image.resize(x, (4, 5), method="area"),
        IMAGE,
        resize,
        "ResizeArea",
    ),
    "an antialiased resize": (
        lambda x: tf.image.resize(x, (4, 3), antialias=True),
        IMAGE,
        resize,
        "ScaleAndTranslate",
    ),
    "a Lanczos resize": (
        lambda x: tf.image.resize(x, (11, 3), method="lanczos5"),
        IMAGE,
        resize,
        "ScaleAndTranslate",
    ),
    "a spectrum": (
        lambda x: tf.math.real(tf.signal.rfft(x)) + tf.math.imag(tf.signal.rfft(x)),
        (None, 16),
        fourier,
        "RFFT",
    ),
    "a padded spectrum": (lambda x: tf.abs(tf.signal.rfft(x, [24])), (None, 16), fourier, "RFFT"),
    "a cut spectrum": (lambda x: tf.abs(tf.signal.rfft(x, [8])), (None, 16), fourier, "RFFT"),
    "a largest of volumes": (
        lambda x: tf.nn.max_pool3d(x, 3, 2, "SAME"),
        VOLUME,
        pools_3d,
        "MaxPool3D",
    ),
    "a transposed convolution of volumes": (
        lambda x: tf.nn.conv3d_transpose(
            x, KERNEL, tf.stack([tf.shape(x)[0], 10, 12, 13, 3]), 2, "SAME"
        ),
        VOLUME,
        volumes_transposed,
        "Conv3DBackpropInputV2",
    ),
    "a mean of volumes": (
        lambda x: tf.nn.avg_pool3d(x, (2, 3, 2), 2, "SAME"),
        VOLUME,
        pools_3d,
        "AvgPool3D",
    ),
}


@pytest.mark.parametrize("name", REWRITTEN)
def test_the_operator_is_gone_and_the_answers_are_the_same(name: str) -> None:
    function, shape, rewrite, gone = REWRITTEN[name]
    before = frozen(function, x=(shape, "float32"))
    after = apply(before, rewrite.rewrite)
    assert gone in ops(before)
    assert gone not in ops(after)
    check_same(before, after)


def test_a_cumprod_from_the_end_stays() -> None:
    before = frozen(lambda x: tf.math.cumprod(x, 1, reverse=True), x=(LONG, "float32"))
    assert apply(before, cumprod.rewrite) is before


def test_a_spectrum_that_is_read_whole_stays() -> None:
    before = frozen(lambda x: tf.signal.irfft(tf.signal.rfft(x) * 2), x=((None, 16), "float32"))
    assert apply(before, fourier.rewrite) is before


def test_a_resize_of_images_of_a_free_size_stays() -> None:
    before = frozen(cubic, x=((None, None, None, 3), "float32"))
    assert apply(before, resize.rewrite) is before


@pytest.mark.parametrize(
    ("equation", "first", "second"),
    [
        ("abc,cde->abde", (None, 3, 4), (4, 2, 5)),
        ("aecd,abcd->acbe", (None, 3, 2, 4), (None, 5, 2, 4)),
        ("abcd,cde->abe", (None, 3, 2, 4), (2, 4, 5)),
        ("abcde,afgde->adbcfg", (None, 2, 3, 2, 2), (None, 2, 3, 2, 2)),
        ("abc,bcd->abd", (None, 3, 4), (3, 4, 5)),
        ("bij,bkl->b", (None, 2, 3), (None, 4, 5)),
        ("bi,bi->b", (None, 3), (None, 3)),
        ("ij,jk->ki", (2, 3), (3, 4)),
    ],
)
def test_an_einsum_is_a_product_of_matrices(equation: str, first: Any, second: Any) -> None:
    before = frozen(
        lambda x, y: tf.einsum(equation, x, y), x=(first, "float32"), y=(second, "float32")
    )
    after = apply(before, einsum.rewrite)
    assert "Einsum" not in ops(after)
    assert ops(after).keys() & {"MatMul", "BatchMatMulV2"}
    check_same(before, after)


def test_an_einsum_of_a_tensor_with_itself_is_a_product_too() -> None:
    before = frozen(lambda x: tf.einsum("bij,bkj->bik", x, x), x=(LONG, "float32"))
    check_same(before, apply(before, einsum.rewrite))


@pytest.mark.parametrize("equation", ["bij,bij->bi", "bij,ji->b"])
def test_an_einsum_of_two_free_sizes_stays(equation: str) -> None:
    before = frozen(
        lambda x, y: tf.einsum(equation, x, y),
        x=((None, None, 4), "float32"),
        y=((None, None, 4) if equation.endswith("bi") else (4, None), "float32"),
    )
    assert apply(before, einsum.rewrite) is before


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (layers.Conv1D(4, 3, data_format="channels_first"), (3, 9)),
        (layers.Conv2D(4, 3, 2, "same", data_format="channels_first"), (3, 9, 8)),
        (layers.Conv2D(6, (2, 3), groups=3, data_format="channels_first"), (3, 9, 8)),
        (layers.DepthwiseConv2D(3, 2, "same", data_format="channels_first"), (3, 9, 8)),
        (layers.Conv2DTranspose(4, 3, 2, "same", data_format="channels_first"), (3, 9, 8)),
        (layers.Conv3DTranspose(4, 3, data_format="channels_first"), (3, 5, 6, 7)),
    ],
)
def test_a_layer_that_works_channels_first_works_channels_last(layer: Any, shape: Any) -> None:
    x = keras.Input(shape, name="x")
    model = keras.Model(x, layer(x))
    layer.bias.assign(np.arange(layer.bias.shape[0], dtype=np.float32))
    graph = freeze_model(model)
    assert not any(
        node.attr["data_format"].s.startswith(b"NC")
        for node in graph.graph_def.node
        if "data_format" in node.attr
    )
    inputs = np.random.default_rng(0).standard_normal((2, *shape)).astype(np.float32)
    (found,) = graph.run({"x": inputs}).values()
    np.testing.assert_allclose(found, model(inputs), atol=1e-5)


def test_each_group_of_a_convolution_of_volumes_is_a_convolution() -> None:
    x = keras.Input((5, 6, 7, 4), name="x")
    model = keras.Model(x, layers.Conv3D(6, 3, strides=2, padding="same", groups=2)(x))
    after = apply(freeze_model(model), groups_3d.rewrite)
    assert ops(after)["Conv3D"] == 2
    inputs = np.random.default_rng(0).standard_normal((2, 5, 6, 7, 4)).astype(np.float32)
    (found,) = after.run({"x": inputs}).values()
    np.testing.assert_allclose(found, model(inputs), atol=1e-5)


def test_the_dilation_of_a_transposed_convolution_is_in_its_kernel() -> None:
    x = keras.Input((6, 7, 2), name="x")
    model = keras.Model(x, layers.Conv2DTranspose(3, 3, dilation_rate=2)(x))
    graph = freeze_model(model)
    (node,) = (n for n in graph.graph_def.node if n.op == "Conv2DBackpropInput")
    assert set(node.attr["dilations"].list.i) == {1}
    inputs = np.random.default_rng(0).standard_normal((2, 6, 7, 2)).astype(np.float32)
    (found,) = graph.run({"x": inputs}).values()
    np.testing.assert_allclose(found, model(inputs), atol=1e-5)


def around_zero(end: float) -> Any:
    small = np.logspace(-7, np.log10(end), 400)
    return np.concatenate([-small, small])


# Up to where float32 itself can tell the function's values apart.
DOMAINS = {
    "Acos": np.linspace(-1, 1, 801),
    "Acosh": 1 + np.logspace(-6, 30, 400),
    "Asin": around_zero(1),
    "Asinh": around_zero(1e30),
    "Atan": around_zero(1e6),
    "Atanh": around_zero(0.9),
    "Cosh": around_zero(20),
    "Erf": around_zero(6),
    "Erfc": np.linspace(-4, 0.5, 400),
    "Expm1": around_zero(20),
    "Log1p": np.concatenate([np.logspace(-9, 35, 400), -np.logspace(-9, -1, 400)]),
    "Sinh": around_zero(20),
    "Softsign": around_zero(1e6),
    "Tan": around_zero(1.5),
}


@pytest.mark.parametrize("name", elementary.FUNCTIONS)
def test_a_function_is_as_exact_as_float32(name: str) -> None:
    x = DOMAINS[name].astype(np.float32)
    found = elementary.FUNCTIONS[name](tf.constant(x)).numpy().astype(np.float64)
    exact = getattr(tf.math, name.lower(), tf.nn.softsign)(
        tf.constant(x.astype(np.float64))
    ).numpy()
    np.testing.assert_allclose(found, exact, rtol=1e-6, atol=1e-12)


def test_functions_that_are_not_asked_for_stay() -> None:
    before = frozen(lambda x: tf.sinh(x) + tf.cosh(x), x=(LONG, "float32"))
    after = apply(before, elementary.without("Sinh"))
    assert "Cosh" in ops(after)
    assert "Sinh" not in ops(after)
    check_same(before, after)


def test_nothing_that_every_format_has_is_rewritten() -> None:
    before = frozen(
        lambda x: tf.nn.conv2d(x, np.ones((3, 3, 3, 2), "f"), 1, "SAME"), x=(IMAGE, "float32")
    )
    assert normalize(before) is before
