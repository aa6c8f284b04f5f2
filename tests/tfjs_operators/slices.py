"""Slices, splits and joins."""

from __future__ import annotations

from collections.abc import Iterator

import tensorflow as tf

from tfjs_operators.case import Case, bools, case, cube, floats, int32, ints

raw = tf.raw_ops


def cases() -> Iterator[Case]:
    x = floats(4, 5, 6)
    yield case("StridedSlice", lambda x: x[1:3, ::2, 4], x)
    yield case("StridedSlice negative", lambda x: x[-3:-1, -1, -4:], x)
    yield case("StridedSlice reverse", lambda x: x[::-1, 4:0:-2], x)
    yield case("StridedSlice ellipsis", lambda x: x[..., 2], x)
    yield case("StridedSlice ellipsis middle", lambda x: x[1, ..., 1:3], x)
    yield case("StridedSlice new axis", lambda x: x[:, tf.newaxis, 2:4], x)
    yield case("StridedSlice all masks", lambda x: x[1:, tf.newaxis, ..., tf.newaxis, -1], x)
    yield case("StridedSlice new axis last", lambda x: x[..., tf.newaxis], x)
    yield case("StridedSlice shrink all", lambda x: x[1, 2, 3], x)
    yield case("StridedSlice beyond", lambda x: x[2:99, -99:2], x)
    yield case("StridedSlice empty", lambda x: x[2:2], x)
    yield case("StridedSlice int", lambda x: x[1:, ::-1], ints(3, 4))
    yield case("StridedSlice bool", lambda x: x[1:, ::2], bools(3, 4))
    yield case("StridedSlice rank 5", lambda x: x[:, 1:, ::2, 0, -1:], floats(2, 3, 4, 1, 2))
    yield case("Roll", lambda x: tf.roll(x, [3, -7], [0, 2]), x)
    yield case("Roll int", lambda x: tf.roll(x, -1, -1), ints(3, 4))
    yield case(
        "StridedSlice rank 6", lambda x: x[:, 1:, ::2, 0, -1:, ::-1], floats(2, 3, 4, 1, 2, 3)
    )
    yield case(
        "StridedSlice steps rank 6",
        lambda x: x[:, 1:, ::2, :, ::-1, ::-1],
        floats(2, 3, 4, 1, 2, 3),
    )
    yield case(
        "StridedSlice steps to input",
        lambda x, n: x[: n[0] : 2, ::-1, 0],
        floats(4, 3, 2),
        int32(3),
    )
    yield case(
        "StridedSlice int steps to input", lambda x, n: x[n[0] :: -1, ::2], ints(4, 3), int32(2)
    )
    yield case("StridedSlice steps behind ellipsis", lambda x: x[..., ::-2, 1], floats(4, 5, 3))
    yield case("StridedSlice bool new axis", lambda x: x[::-1, tf.newaxis, 1], bools(4, 3))
    yield case("StridedSlice rank 1", lambda x: x[1:-1], floats(5))
    yield case(
        "StridedSlice of a shape",
        lambda x: tf.zeros_like(x) + tf.cast(tf.shape(x)[1], tf.float32),
        x,
    )
    yield case("StridedSlice to input", lambda x, n: x[: n[0]], x, int32(2))
    yield case("Slice", lambda x: tf.slice(x, [1, 0, 2], [2, -1, 3]), x)
    yield case("Slice int", lambda x: tf.slice(x, [1, 0], [2, -1]), ints(3, 4))
    yield case("Slice rank 1", lambda x: tf.slice(x, [1], [2]), floats(4))
    yield case("Slice rank 4", lambda x: tf.slice(x, [0, 1, 1, 0], [2, 1, 2, 1]), floats(*cube(4)))
    yield case(
        "Slice rank 5", lambda x: tf.slice(x, [0, 1, 1, 0, 1], [2, 1, 2, 1, 1]), floats(*cube(5))
    )
    yield case(
        "Slice rank 6",
        lambda x: tf.slice(x, [0, 1, 1, 0, 1, 1], [2, 1, 2, 1, 1, -1]),
        floats(*cube(6)),
    )
    yield case("Slice empty", lambda x: tf.slice(x, [1], [0]), floats(4))
    yield case("Slice at input", lambda x, n: tf.slice(x, n, [2, 2, 2]), x, int32(1, 2, 3))
    for axis in (0, 1, -1):
        yield case(f"Split {axis}", lambda x, a=axis: tf.split(x, 2, a), floats(4, 6, 2))
        yield case(
            f"SplitV {axis}",
            lambda x, a=axis: tf.split(x, [1, 3, 2] if a else [1, 1, 2], a),
            floats(4, 6, 6),
        )
    yield case("SplitV rest", lambda x: tf.split(x, [1, -1, 2], 1), floats(4, 6))
    yield case("Split int", lambda x: tf.split(x, 2, -1), ints(3, 4))
    yield case("Split used apart", lambda x: tf.split(x, 3, 1)[1] * 2.0, floats(2, 6))
    for axis in (0, 1, -1):
        yield case(f"Unpack {axis}", lambda x, a=axis: tf.unstack(x, axis=a), floats(2, 3, 4))
        yield case(
            f"Pack {axis}",
            lambda x, y, a=axis: tf.stack([x, y], a),
            floats(2, 3),
            floats(2, 3, seed=1),
        )
        yield case(
            f"ConcatV2 {axis}",
            lambda x, y, a=axis: tf.concat([x, y], a),
            floats(2, 3, 4),
            floats(2, 3, 4, seed=1),
        )
    yield case("Pack one", lambda x: tf.stack([x], 0), floats(2, 3))
    yield case("Pack scalars", lambda x, y: tf.stack([x, y]), floats(), floats(seed=1))
    yield case("Pack int", lambda x, y: tf.stack([x, y], -1), ints(2, 3), ints(2, 3, seed=1))
    yield case(
        "Pack last of 3", lambda x, y: tf.stack([x, y], -2), floats(2, 3), floats(2, 3, seed=1)
    )
    yield case("Unpack int", lambda x: tf.unstack(x, axis=-1), ints(2, 3))
    yield case("Unpack vector", lambda x: tf.unstack(x), floats(3))
    yield case(
        "ConcatV2 unlike",
        lambda x, y, z: tf.concat([x, y, z], 1),
        floats(2, 3),
        floats(2, 1, seed=1),
        floats(2, 5),
    )
    yield case("ConcatV2 int", lambda x, y: tf.concat([x, y], -1), ints(2, 3), ints(2, 3, seed=1))
    yield case("ConcatV2 bool", lambda x, y: tf.concat([x, y], 0), bools(2, 3), bools(2, 3, seed=1))
    yield case(
        "ConcatV2 empty",
        lambda x, y, n: tf.concat([x[: n[0]], y], 0),
        floats(2, 3),
        floats(2, 3, seed=1),
        int32(0),
    )
    yield case(
        "ConcatV2 empties",
        lambda x, y, n: tf.concat([x[: n[0]], y[: n[0]]], 0),
        floats(2, 3),
        floats(2, 3, seed=1),
        int32(0),
    )
    yield case(
        "ConcatV2 rank 5",
        lambda x, y: tf.concat([x, y], 3),
        floats(*cube(5)),
        floats(*cube(5), seed=1),
    )
    yield case(
        "ConcatV2 many", lambda x: tf.concat([x * float(n) for n in range(20)], -1), floats(2, 3)
    )
    yield case(
        "Concat",
        lambda x, y: raw.Concat(concat_dim=1, values=[x, y]),
        floats(2, 3),
        floats(2, 3, seed=1),
    )
