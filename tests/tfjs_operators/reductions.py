"""Reductions over axes, sums on the way, and orders."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from tfjs_operators.case import SPECIAL, Case, bools, case, cube, floats, int32, ints

raw = tf.raw_ops


def cases() -> Iterator[Case]:
    x = floats(2, 3, 4)
    ops = {
        "Max": raw.Max,
        "Min": raw.Min,
        "Mean": raw.Mean,
        "Sum": raw.Sum,
        "Prod": raw.Prod,
        "EuclideanNorm": raw.EuclideanNorm,
    }
    for name, op in ops.items():
        for axis in (0, 1, -1, [0, 2], [-1, -2], [0, 1, 2]):
            for keep in (False, True):
                yield case(
                    f"{name} {axis} {keep}",
                    lambda x, op=op, a=axis, k=keep: op(input=x, axis=a, keep_dims=k),
                    x,
                )
        if name not in ("EuclideanNorm", "Mean"):
            yield case(f"{name} int", lambda x, op=op: op(input=x, axis=[-1]), ints(3, 4))
            yield case(
                f"{name} large int", lambda x, op=op: op(input=x, axis=[0]), int32(2**24 + 1, 1)
            )
        yield case(f"{name} none", lambda x, op=op: op(input=x, axis=np.zeros(0, np.int32)), x)
        yield case(
            f"{name} specials",
            lambda x, op=op: op(input=x, axis=[-1]),
            np.stack([SPECIAL, np.flip(SPECIAL), np.where(np.isnan(SPECIAL), 0, SPECIAL)]),
        )
        yield case(
            f"{name} scalar", lambda x, op=op: op(input=x, axis=np.zeros(0, np.int32)), floats()
        )
        yield case(f"{name} rank 5", lambda x, op=op: op(input=x, axis=[1, 3]), floats(*cube(5)))
        yield case(f"{name} rank 6", lambda x, op=op: op(input=x, axis=[1, -1]), floats(*cube(6)))
    for name, op in (("Sum", raw.Sum),):
        yield case(
            f"{name} empty",
            lambda x, n, op=op: op(input=x[: n[0]], axis=[0]),
            floats(2, 3),
            int32(0),
        )
    yield case(
        "Mean large", lambda x: raw.Mean(input=x, axis=[0]), floats(1000, 2, low=10, high=11)
    )
    for name, op in (("All", raw.All), ("Any", raw.Any)):
        for axis in (0, -1, [0, 1], [0, 1, 2]):
            for keep in (False, True):
                yield case(
                    f"{name} {axis} {keep}",
                    lambda x, op=op, a=axis, k=keep: op(input=x, axis=a, keep_dims=k),
                    bools(2, 3, 4),
                )
    ties = np.asarray([[1, 3, 3, 0], [2, 2, 2, 2], [-1, -5, -5, 7]], np.float32)
    for name, op in (("ArgMax", raw.ArgMax), ("ArgMin", raw.ArgMin)):
        for axis in (0, 1, -1):
            yield case(f"{name} {axis}", lambda x, op=op, a=axis: op(input=x, dimension=a), ties)
            yield case(
                f"{name} int32 {axis}",
                lambda x, op=op, a=axis: op(input=x, dimension=a, output_type=tf.int32),
                ties,
            )
        yield case(
            f"{name} of int", lambda x, op=op: op(input=x, dimension=1), ties.astype(np.int32)
        )
        yield case(
            f"{name} large int",
            lambda x, op=op: op(input=x, dimension=0),
            int32(2**24, 2**24 + 1, 2**24 - 1),
        )
        yield case(f"{name} rank 4", lambda x, op=op: op(input=x, dimension=2), floats(*cube(4)))
        yield case(
            f"{name} infinite",
            lambda x, op=op: op(input=x, dimension=0),
            [-np.inf, -np.inf, np.inf, np.inf],
        )
        yield case(
            f"{name} far", lambda x, op=op: op(input=x, dimension=0), [-np.inf, -1e30, -np.inf]
        )
        yield case(f"{name} rank 1", lambda x, op=op: op(input=x, dimension=0), floats(70))
    for name, op in (("Cumsum", raw.Cumsum), ("Cumprod", raw.Cumprod)):
        for axis in (0, 1, -1):
            for exclusive in (False, True):
                for reverse in (False, True):
                    yield case(
                        f"{name} {axis} {exclusive} {reverse}",
                        lambda x, op=op, a=axis, e=exclusive, r=reverse: op(
                            x=x, axis=a, exclusive=e, reverse=r
                        ),
                        x,
                    )
        yield case(f"{name} int", lambda x, op=op: op(x=x, axis=1), ints(3, 4, low=-3, high=4))
        yield case(f"{name} vector", lambda x, op=op: op(x=x, axis=0), floats(7))
    yield case(
        "Bincount", lambda x: tf.math.bincount(x, minlength=5, maxlength=5), int32(1, 3, 3, 0)
    )
    yield case(
        "Bincount raw",
        lambda x: raw.Bincount(arr=x, size=5, weights=np.zeros(0, np.float32)),
        int32(1, 3, 3, 0),
    )
    yield case(
        "DenseBincount",
        lambda x: raw.DenseBincount(input=x, size=5, weights=np.zeros(0, np.float32)),
        int32(1, 3, 3, 0),
    )
    yield case(
        "DenseBincount int",
        lambda x: raw.DenseBincount(input=x, size=5, weights=np.zeros(0, np.int32)),
        int32(1, 3, 3, 0),
    )
    yield case(
        "DenseBincount binary",
        lambda x: raw.DenseBincount(
            input=x, size=5, weights=np.zeros(0, np.float32), binary_output=True
        ),
        int32([1, 3, 3], [0, 0, 2]),
    )
    yield case(
        "DenseBincount weights",
        lambda x, w: raw.DenseBincount(input=x, size=5, weights=w),
        int32([1, 3, 3], [0, 0, 2]),
        floats(2, 3),
    )
    yield case(
        "DenseBincount beyond",
        lambda x: raw.DenseBincount(input=x, size=3, weights=np.zeros(0, np.float32)),
        int32([1, 3, 3], [0, 0, 2]),
    )
    for name, side in (("LowerBound", "left"), ("UpperBound", "right")):
        yield case(
            name,
            lambda s, v, side=side: tf.searchsorted(s, v, side),
            np.sort(floats(2, 6)),
            floats(2, 4, seed=1),
        )
        yield case(
            f"{name} ties",
            lambda s, v, side=side: tf.searchsorted(s, v, side),
            [[1.0, 2.0, 2.0, 3.0]],
            [[2.0, 0.0, 9.0, 3.0]],
        )
        yield case(
            f"{name} int",
            lambda s, v, side=side: tf.searchsorted(s, v, side),
            int32([1, 2, 2, 3]),
            int32([2, 0, 9]),
        )
    for k in (1, 2, 4):
        yield case(f"TopKV2 {k}", lambda x, k=k: tf.math.top_k(x, k), ties)
    yield case(
        "TopKV2 unsorted", lambda x: tf.sort(tf.math.top_k(x, 2, sorted=False).values), floats(3, 5)
    )
    yield case("TopKV2 int", lambda x: tf.math.top_k(x, 2), ties.astype(np.int32))
    yield case("TopKV2 vector", lambda x: tf.math.top_k(x, 3), floats(9))
    yield case("TopKV2 long", lambda x: tf.math.top_k(x, 7), np.round(floats(2, 100) * 5))
    yield case("TopKV2 rank 4", lambda x: tf.math.top_k(x, 2), floats(2, 2, 2, 5))
    yield case("TopKV2 infinite", lambda x: tf.math.top_k(x, 3), [-np.inf, 1.0, np.inf, -np.inf])
    yield case("sort", lambda x: tf.sort(x), floats(3, 5))
    yield case("argsort", lambda x: tf.argsort(x, direction="DESCENDING"), ties)
