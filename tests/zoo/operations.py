"""The functions of keras.ops that models use, each with the options that change its meaning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from keras import ops
from zoo.case import IMAGE, SERIES, VECTOR, Case, Feed, grouped, net, op

POSITIVE = Feed((6,), "positive")
UNIT = Feed((6,), "unit")
OPEN = Feed((6,), "open")
BOOLS = Feed((6,), "bool", "bool")
INTS = Feed((6,), 9, "int32")
MATRIX = Feed((4, 4), "matrix")

OF_ONE = {
    VECTOR: (
        *("abs", "arcsinh", "arctan", "ceil", "cos", "cosh", "deg2rad", "erf", "erfc", "exp"),
        *("exp2", "expm1", "floor", "isfinite", "isinf", "isnan", "logical_not", "negative"),
        *("rad2deg", "round", "sign", "signbit", "sin", "sinc", "sinh", "square", "tan", "trunc"),
        *("isneginf", "isposinf", "nan_to_num", "ravel", "zeros_like", "ones_like", "cbrt"),
    ),
    POSITIVE: ("log", "log10", "log1p", "log2", "reciprocal", "rsqrt", "sqrt", "i0"),
    OPEN: ("arccos", "arcsin", "arctanh", "erfinv"),
    Feed((6,), "image"): ("arccosh",),
}
OF_TWO = (
    *("add", "subtract", "multiply", "divide", "divide_no_nan", "maximum", "minimum", "arctan2"),
    *("equal", "not_equal", "greater", "greater_equal", "less", "less_equal", "hypot"),
    *("logaddexp", "logical_and", "logical_or", "logical_xor", "fmax", "fmin", "heaviside"),
    *("floor_divide", "mod", "fmod", "copysign", "isclose"),
)
REDUCTIONS = (
    *("sum", "mean", "max", "min", "prod", "std", "var", "logsumexp", "any", "all", "amax"),
    *("argmax", "argmin", "count_nonzero", "median", "ptp", "nansum", "nanmax", "nanmean"),
)


def elementwise() -> Iterator[Case]:
    for feed, names in OF_ONE.items():
        yield from (op(name, feed) for name in names)
    for name in OF_TWO:
        if hasattr(ops, name):
            yield op(name, VECTOR, VECTOR)
    yield op("power", POSITIVE, VECTOR)
    yield op("equal", Feed((5,), "signs"), Feed((5,), "signs"))
    yield op("clip", VECTOR, x_min=-0.5, x_max=0.7)
    yield op("where", BOOLS, VECTOR, VECTOR)
    yield op("cast", VECTOR, dtype="int32")
    yield op("cast", INTS, dtype="float32")
    yield op("cast", VECTOR, dtype="bool")
    yield op("cast", VECTOR, dtype="float16")
    for name in ("add", "multiply", "subtract", "maximum", "less"):
        yield op(name, INTS, Feed((6,), 5, "int32"))
    for name in ("floor_divide", "mod"):
        # TensorFlow itself refuses to divide an integer by zero.
        yield op(name, INTS, Feed((6,), "counts", "int32"))
    for name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
        yield op(name, INTS, INTS)
    for name in ("logical_and", "logical_or", "logical_xor"):
        yield op(name, BOOLS, BOOLS)

    @net("numbers beside a tensor", VECTOR)
    def scalars(x: Any) -> Any:
        return [2.0 - x, x / 3.0, 1.0 / (ops.abs(x) + 2.0), x**2, x**3, x**0.0, -x, abs(x)]

    yield scalars


def reductions() -> Iterator[Case]:
    for name in REDUCTIONS:
        yield op(name, SERIES, axis=-1)
        yield op(name, SERIES, axis=1)
        if name not in ("count_nonzero",):
            yield op(name, SERIES, axis=1, keepdims=True)
    for name in ("sum", "mean", "max"):
        yield op(name, IMAGE, axis=(1, 2))
        yield op(name, IMAGE, axis=(-1, 1), keepdims=True)
    yield op("moments", IMAGE, axes=(1, 2))
    yield op("norm", SERIES, axis=-1)
    yield op("norm", SERIES, axis=1, ord=1)
    yield op("normalize", SERIES, axis=-1)
    yield op("average", SERIES, axis=1)
    yield op("quantile", SERIES, q=0.3, axis=1)
    for name in ("cumsum", "cumprod"):
        yield op(name, SERIES, axis=1)
        yield op(name, SERIES, axis=-1)


def order() -> Iterator[Case]:
    yield op("sort", SERIES, axis=-1)
    yield op("sort", SERIES, axis=1)
    yield op("argsort", SERIES, axis=-1)
    yield op("argsort", SERIES, axis=1)
    yield op("top_k", SERIES, k=2)
    yield op("in_top_k", Feed((), 4, "int32"), Feed((4,)), k=2)
    yield op("digitize", VECTOR, bins=np.array([-1.0, 0.0, 1.0], "float32"))
    yield op("one_hot", INTS, num_classes=9)
    yield op("one_hot", INTS, num_classes=9, axis=1)
    yield op("multi_hot", INTS, num_classes=9)
    yield op("bincount", INTS, minlength=9)
    yield op("take_along_axis", SERIES, Feed((3, 4), 12, "int32"), axis=1)
    yield op("take", SERIES, indices=[0, 2, 3], axis=1)
    yield op("take", SERIES, indices=[1, 0], axis=-1)
    yield op("unravel_index", INTS, shape=(3, 3))

    @net("take by an input", SERIES, Feed((3,), 12, "int32"))
    def taken(x: Any, places: Any) -> Any:
        return ops.take(x[0], places, axis=0)

    yield taken


def shapes() -> Iterator[Case]:
    yield op("reshape", SERIES, newshape=(-1, 8, 6))
    yield op("transpose", IMAGE, axes=(0, 3, 1, 2))
    yield op("swapaxes", IMAGE, axis1=1, axis2=3)
    yield op("moveaxis", IMAGE, source=3, destination=1)
    yield op("expand_dims", SERIES, axis=-1)
    yield op("squeeze", Feed((4, 1, 3)), axis=2)
    yield op("tile", SERIES, repeats=(1, 2, 3))
    yield op("repeat", SERIES, repeats=3, axis=1)
    yield op("repeat", SERIES, repeats=2, axis=-1)
    yield op("flip", SERIES, axis=1)
    yield op("roll", SERIES, shift=3, axis=1)
    yield op("roll", SERIES, shift=-2, axis=-1)
    yield op("rot90", IMAGE, k=1, axes=(1, 2))
    yield op("concatenate", SERIES, SERIES, listed=True, axis=-1)
    yield op("stack", SERIES, SERIES, listed=True, axis=1)
    yield op("split", SERIES, indices_or_sections=3, axis=1)
    yield op("split", SERIES, indices_or_sections=[2, 7], axis=1)
    yield op("unstack", SERIES, axis=2)
    yield op("pad", IMAGE, pad_width=((0, 0), (1, 2), (0, 3), (0, 0)))
    for mode in ("reflect", "symmetric"):
        yield op("pad", IMAGE, pad_width=((0, 0), (1, 2), (0, 3), (0, 0)), mode=mode)
    yield op("pad", SERIES, pad_width=((0, 0), (1, 1), (0, 0)), constant_values=2.5)
    yield op("diagonal", MATRIX, axis1=1, axis2=2)
    yield op("trace", MATRIX, axis1=1, axis2=2)
    yield op("tril", MATRIX)
    yield op("triu", MATRIX, k=1)
    yield op("diff", SERIES, axis=1)
    yield op("depth_to_space", Feed((4, 4, 8)), block_size=2)
    yield op("space_to_depth", Feed((4, 4, 2)), block_size=2)
    yield op("full_like", SERIES, fill_value=3.0)

    @net("slices", SERIES)
    def slices(x: Any) -> Any:
        return [x[:, 2:9:3], x[:, ::-1], x[..., -1], x[:, None, 0], x[:, -3:, 1:]]

    @net("a size from the shape of the input", SERIES)
    def sizes(x: Any) -> Any:
        return ops.reshape(x, (ops.shape(x)[0], -1))

    yield from (slices, sizes)


def algebra() -> Iterator[Case]:
    yield op("matmul", SERIES, Feed((4, 5)))
    yield op("matmul", Feed((2, 3, 4)), Feed((2, 4, 5)))
    yield op("cross", Feed((3,)), Feed((3,)))
    yield op("logdet", MATRIX)
    for name in ("det", "inv", "cholesky", "qr", "svd", "eigh", "slogdet"):
        if hasattr(ops, name):
            yield op(name, MATRIX)
    yield op("solve", MATRIX, Feed((4, 2)))
    yield op("solve_triangular", MATRIX, Feed((4, 2)), lower=True)

    for pattern, feeds in {
        "bij,bjk->bik": (SERIES, Feed((4, 5))),
        "bij,bkj->bik": (SERIES, Feed((5, 4))),
        "bhqd,bhkd->bhqk": (Feed((2, 5, 3)), Feed((2, 6, 3))),
        "bi,bj->bij": (VECTOR, VECTOR),
        "bij->bji": (SERIES,),
        "bijc->bc": (IMAGE,),
        "bii->bi": (MATRIX,),
    }.items():

        @net(f"einsum {pattern}", *feeds)
        def einsum(*tensors: Any, pattern: str = pattern) -> Any:
            return ops.einsum(pattern, *tensors)

        yield einsum

    @net("tensordot", SERIES, covers=())
    def tensordot(x: Any) -> Any:
        return ops.tensordot(x, ops.ones((4, 3)), axes=1)

    @net("dot_product_attention", Feed((5, 2, 4)), Feed((6, 2, 4)), Feed((6, 2, 4)))
    def dot_product(query: Any, key: Any, value: Any) -> Any:
        return ops.dot_product_attention(query, key, value)

    yield from (tensordot, dot_product)


def images_and_signals() -> Iterator[Case]:
    for name in ("bilinear", "nearest", "bicubic"):
        yield op("image.resize", IMAGE, size=(5, 13), interpolation=name)
    yield op("image.resize", IMAGE, size=(4, 4), antialias=True)
    yield op("image.rgb_to_grayscale", Feed((8, 8, 3), "unit"))
    yield op("image.rgb_to_hsv", Feed((8, 8, 3), "unit"))
    yield op("image.hsv_to_rgb", Feed((8, 8, 3), "unit"))
    yield op(
        "image.pad_images", IMAGE, top_padding=1, left_padding=2, target_height=10, target_width=12
    )
    yield op(
        "image.crop_images", IMAGE, top_cropping=1, left_cropping=2, target_height=5, target_width=4
    )
    yield op("image.extract_patches", IMAGE, size=3, strides=2, padding="same")
    yield op("image.gaussian_blur", IMAGE)
    yield op("extract_sequences", Feed((32,)), sequence_length=8, sequence_stride=4)
    yield op("rfft", Feed((16,)))
    yield op("stft", Feed((64,)), sequence_length=16, sequence_stride=8, fft_length=16)
    yield op("unfold", Feed((3, 8, 8)), kernel_size=2, stride=2)


def cases() -> list[Case]:
    return [
        *grouped("ops: element by element", elementwise()),
        *grouped("ops: reductions", reductions()),
        *grouped("ops: order and indices", order()),
        *grouped("ops: shapes", shapes()),
        *grouped("ops: algebra", algebra()),
        *grouped("ops: images and signals", images_and_signals()),
    ]
