"""Changes of shape, and tensors made of a shape."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from tfjs_operators.case import Case, bools, case, cube, floats, int32, ints

raw = tf.raw_ops


def cases() -> Iterator[Case]:
    x = floats(2, 3, 4)
    yield case("Reshape", lambda x: tf.reshape(x, [4, -1]), x)
    yield case("Reshape scalar", lambda x: tf.reshape(x, []), floats(1, 1))
    yield case("Reshape to input", lambda x, n: tf.reshape(x, n), x, int32(6, 4))
    yield case("Reshape int", lambda x: tf.reshape(x, [-1]), ints(2, 3))
    yield case("Reshape empty", lambda x, n: tf.reshape(x[: n[0]], [3, 0]), floats(2, 3), int32(0))
    for axis in (0, 1, -1, -2):
        yield case(f"ExpandDims {axis}", lambda x, a=axis: tf.expand_dims(x, a), x)
    yield case("ExpandDims scalar", lambda x: tf.expand_dims(x, 0), floats())
    yield case("Squeeze", lambda x: tf.squeeze(x), floats(1, 3, 1, 2))
    for axes in ([0], [2], [0, 2], [-2], [-2, 0]):
        yield case(f"Squeeze {axes}", lambda x, a=axes: tf.squeeze(x, a), floats(1, 3, 1, 2))
    yield case("Squeeze int", lambda x: tf.squeeze(x, [0]), ints(1, 3))
    for rank, perm in (
        (1, [0]),
        (2, [1, 0]),
        (3, [2, 0, 1]),
        (4, [0, 3, 1, 2]),
        (5, [4, 0, 3, 1, 2]),
        (6, [5, 1, 4, 0, 3, 2]),
    ):
        yield case(
            f"Transpose rank {rank}", lambda x, p=perm: tf.transpose(x, p), floats(*cube(rank))
        )
    yield case("Transpose int", lambda x: tf.transpose(x), ints(3, 4))
    yield case("Transpose bool", lambda x: tf.transpose(x), bools(3, 4))
    yield case("Tile", lambda x: tf.tile(x, [2, 1, 3]), x)
    yield case("Tile int", lambda x: tf.tile(x, [2, 3]), ints(2, 3))
    yield case("Tile bool", lambda x: tf.tile(x, [2, 3]), bools(2, 3))
    for rank in (1, 4, 5, 6):
        yield case(
            f"Tile rank {rank}",
            lambda x, r=rank: tf.tile(x, [2, 1, 2, 1, 2, 1][:r]),
            floats(*cube(rank)),
        )
    yield case("Tile none", lambda x: tf.tile(x, [0, 1]), floats(2, 3))
    yield case("Tile by input", lambda x, n: tf.tile(x, n), floats(2, 3), int32(2, 2))
    for axes in ([0], [-1], [0, 2], [0, 1, 2]):
        yield case(f"ReverseV2 {axes}", lambda x, a=axes: tf.reverse(x, a), x)
    yield case("ReverseV2 int", lambda x: tf.reverse(x, [-1]), ints(2, 3))
    yield case("ReverseV2 rank 5", lambda x: tf.reverse(x, [1, 4]), floats(*cube(5)))
    yield case(
        "ReverseV2 none",
        lambda x: raw.ReverseV2(tensor=x, axis=np.zeros(0, np.int32)),
        floats(2, 3),
    )
    yield case("Reverse", lambda x: raw.Reverse(tensor=x, dims=[True, False, True]), x)
    yield case("BroadcastTo", lambda x: tf.broadcast_to(x, [4, 2, 3]), floats(2, 1))
    yield case("BroadcastTo same", lambda x: tf.broadcast_to(x, [2, 3]), floats(2, 3))
    yield case("BroadcastTo scalar", lambda x: tf.broadcast_to(x, [2, 3]), floats())
    yield case("BroadcastTo int", lambda x: tf.broadcast_to(x, [2, 3]), ints(3))
    yield case("BroadcastTo bool", lambda x: tf.broadcast_to(x, [2, 3]), bools(3))
    yield case("BroadcastTo input", lambda x, n: tf.broadcast_to(x, n), floats(3), int32(2, 3))
    yield case(
        "BroadcastTo rank 5", lambda x: tf.broadcast_to(x, [2, 3, 2, 2, 3]), floats(3, 1, 2, 1)
    )
    yield case(
        "BroadcastArgs", lambda x, y: raw.BroadcastArgs(s0=x, s1=y), int32(2, 1, 3), int32(4, 1)
    )
    yield case("Shape", lambda x: tf.shape(x), x)
    yield case(
        "Shape times",
        lambda x, n: tf.cast(tf.shape(tf.tile(x, n))[0], tf.float32) * 0.5,
        floats(2, 3),
        int32(3, 2),
    )
    yield case(
        "ShapeN",
        lambda x, y, n: [s + 1 for s in raw.ShapeN(input=[tf.tile(x, n), tf.tile(y, n)])],
        floats(2, 3),
        floats(4, 3),
        int32(2, 2),
    )
    yield case("Size", lambda x, n: tf.size(tf.tile(x, n)), floats(2, 3), int32(3, 2))
    # The rank of what is reshaped is known only when the model runs.
    form = int32(3, 3, 2)
    yield case("Rank", lambda x, n: tf.rank(tf.reshape(x, n[1 : n[0]])), floats(2, 3), form)
    yield case("Identity", lambda x: tf.identity(x), x)
    yield case("IdentityN", lambda x, y: raw.IdentityN(input=[x, y]), x, ints(2))
    yield case("Snapshot", lambda x: raw.Snapshot(input=x), x)
    yield case("StopGradient", lambda x: tf.stop_gradient(x), x)
    yield case(
        "PlaceholderWithDefault",
        lambda x: x + raw.PlaceholderWithDefault(input=np.float32(3), shape=[]),
        x,
    )
    yield case("OnesLike", lambda x: tf.ones_like(x), x)
    yield case("OnesLike int", lambda x, n: raw.OnesLike(x=tf.tile(x, n)), ints(3), int32(2))
    yield case("ZerosLike", lambda x, n: raw.ZerosLike(x=tf.tile(x, n)), floats(3), int32(2))
    yield case("ZerosLike int", lambda x, n: raw.ZerosLike(x=tf.tile(x, n)), ints(3), int32(2))
    yield case("ZerosLike bool", lambda x, n: raw.ZerosLike(x=tf.tile(x, n)), bools(3), int32(2))
    yield case("ZerosLike nan", lambda x: raw.ZerosLike(x=x), [np.nan, np.inf])
    yield case("Fill", lambda n: tf.fill(n, 2.5), int32(2, 3))
    yield case("Fill int", lambda n: tf.fill(n, 7), int32(2, 3))
    yield case("Fill bool", lambda n: tf.fill(n, True), int32(2, 3))
    yield case("Fill input", lambda n, x: tf.fill(n, x), int32(2, 3), floats())
    yield case("Fill none", lambda n: tf.fill(n, 2.5), int32(0, 3))
    yield case("Range", lambda a, b, c: tf.range(a, b, c), int32(2)[0], int32(11)[0], int32(3)[0])
    yield case(
        "Range down", lambda a, b, c: tf.range(a, b, c), int32(5)[0], int32(-2)[0], int32(-2)[0]
    )
    yield case("Range float", lambda a, b, c: tf.range(a, b, c), 0.5, 3.0, 0.5)
    yield case(
        "Range none", lambda a, b, c: tf.range(a, b, c), int32(5)[0], int32(5)[0], int32(1)[0]
    )
    yield case("LinSpace", lambda a, b: tf.linspace(a, b, 5), 0.5, 3.0)
    yield case("LinSpace one", lambda a, b: raw.LinSpace(start=a, stop=b, num=1), 0.5, 3.0)
    i = int32(0, 2, 1, -1, 5)
    yield case("OneHot", lambda i: tf.one_hot(i, 3), i)
    yield case("OneHot values", lambda i: tf.one_hot(i, 3, 5.0, -2.0), i)
    yield case("OneHot int", lambda i: tf.one_hot(i, 3, dtype=tf.int32), i)
    yield case("OneHot bool", lambda i: tf.one_hot(i, 3, True, False), i)
    for axis in (0, 1, -1):
        yield case(
            f"OneHot axis {axis}",
            lambda i, a=axis: tf.one_hot(i, 4, axis=a),
            np.abs(ints(2, 3)) % 4,
        )
    yield case("OneHot scalar", lambda i: tf.one_hot(i, 3), int32(1)[0])
    yield case("OneHot on input", lambda i, on: tf.one_hot(i, 3, on, 0.0), i, np.float32(3))
