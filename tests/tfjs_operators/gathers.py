"""Gathers, scatters, and what is found in a tensor."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from tfjs_operators.case import Case, bools, case, cube, floats, int32, ints

raw = tf.raw_ops


def cases() -> Iterator[Case]:
    x = floats(4, 5, 6)
    i = int32(3, 0, 2, 2)
    yield case("GatherV2", lambda x, i: tf.gather(x, i), x, i)
    for axis in (1, 2, -1, -2):
        yield case(f"GatherV2 axis {axis}", lambda x, i, a=axis: tf.gather(x, i, axis=a), x, i)
    yield case("GatherV2 matrix", lambda x, i: tf.gather(x, i, axis=1), x, int32([3, 0], [2, 2]))
    yield case("GatherV2 scalar", lambda x, i: tf.gather(x, i, axis=1), x, int32(3)[0])
    yield case(
        "GatherV2 batch",
        lambda x, i: tf.gather(x, i, axis=1, batch_dims=1),
        x,
        int32([3, 0], [2, 2], [1, 1], [4, 0]),
    )
    yield case(
        "GatherV2 batch 2",
        lambda x, i: tf.gather(x, i, axis=2, batch_dims=2),
        x,
        np.abs(ints(4, 5, 3)) % 6,
    )
    yield case(
        "GatherV2 batch last",
        lambda x, i: tf.gather(x, i, axis=-1, batch_dims=1),
        x,
        int32([3, 0], [2, 2], [1, 1], [4, 0]),
    )
    yield case(
        "GatherV2 batch -1",
        lambda x, i: tf.gather(x, i, axis=2, batch_dims=-1),
        x,
        np.abs(ints(4, 5, 3)) % 6,
    )
    yield case("GatherV2 int", lambda x, i: tf.gather(x, i), ints(4, 2), i)
    yield case("GatherV2 bool", lambda x, i: tf.gather(x, i), bools(4, 2), i)
    yield case("GatherV2 rank 5", lambda x, i: tf.gather(x, i, axis=2), floats(*cube(5)), i)
    yield case("GatherV2 none", lambda x, i, n: tf.gather(x, i[: n[0]]), x, i, int32(0))
    yield case("Gather", lambda x, i: raw.Gather(params=x, indices=i), x, i)
    yield case("GatherNd", lambda x, i: tf.gather_nd(x, i), x, int32([3, 0], [2, 2]))
    yield case("GatherNd full", lambda x, i: tf.gather_nd(x, i), x, int32([3, 0, 5], [2, 2, 1]))
    yield case("GatherNd rows", lambda x, i: tf.gather_nd(x, i), x, int32([3], [2]))
    yield case(
        "GatherNd grid",
        lambda x, i: tf.gather_nd(x, i),
        x,
        int32([[3, 0], [2, 2]], [[1, 1], [0, 4]]),
    )
    yield case(
        "GatherNd batch",
        lambda x, i: tf.gather_nd(x, i, batch_dims=1),
        x,
        int32([[3], [2]], [[1], [0]], [[3], [2]], [[1], [0]]),
    )
    yield case("GatherNd int", lambda x, i: tf.gather_nd(x, i), ints(4, 2), int32([3, 0], [2, 1]))
    yield case("GatherNd vector", lambda x, i: tf.gather_nd(x, i), x, int32(3, 0))
    yield case("ScatterNd", lambda i, v: tf.scatter_nd(i, v, [5]), int32([1], [3]), floats(2))
    yield case("ScatterNd twice", lambda i, v: tf.scatter_nd(i, v, [5]), int32([1], [1]), floats(2))
    yield case(
        "ScatterNd rows", lambda i, v: tf.scatter_nd(i, v, [5, 3]), int32([1], [3]), floats(2, 3)
    )
    yield case(
        "ScatterNd pairs",
        lambda i, v: tf.scatter_nd(i, v, [5, 3]),
        int32([1, 2], [3, 0]),
        floats(2),
    )
    yield case(
        "ScatterNd grid",
        lambda i, v: tf.scatter_nd(i, v, [5, 3]),
        int32([[1], [3]], [[0], [4]]),
        floats(2, 2, 3),
    )
    yield case("ScatterNd int", lambda i, v: tf.scatter_nd(i, v, [5]), int32([1], [1]), ints(2))
    yield case(
        "TensorScatterUpdate",
        lambda x, i, v: tf.tensor_scatter_nd_update(x, i, v),
        floats(5),
        int32([1], [3]),
        floats(2, seed=1),
    )
    yield case(
        "TensorScatterUpdate rows",
        lambda x, i, v: tf.tensor_scatter_nd_update(x, i, v),
        floats(5, 3),
        int32([1], [3]),
        floats(2, 3, seed=1),
    )
    yield case(
        "TensorScatterUpdate pairs",
        lambda x, i, v: tf.tensor_scatter_nd_update(x, i, v),
        floats(5, 3),
        int32([1, 2], [3, 0]),
        floats(2, seed=1),
    )
    yield case(
        "TensorScatterUpdate int",
        lambda x, i, v: tf.tensor_scatter_nd_update(x, i, v),
        ints(5),
        int32([1], [3]),
        ints(2, seed=1),
    )
    yield case(
        "TensorScatterUpdate zero",
        lambda x, i, v: tf.tensor_scatter_nd_update(x, i, v),
        floats(5),
        int32([1], [3]),
        floats(2) * 0,
    )
    for name, change in (
        ("TensorScatterAdd", tf.tensor_scatter_nd_add),
        ("TensorScatterSub", tf.tensor_scatter_nd_sub),
    ):
        places = int32([1], [1], [0])
        yield case(name, lambda x, i, v, op=change: op(x, i, v), floats(5, 2), places, floats(3, 2))
    yield case(
        "SparseToDense",
        lambda i, v: raw.SparseToDense(
            sparse_indices=i, output_shape=[5], sparse_values=v, default_value=-1.0
        ),
        int32(1, 3),
        floats(2),
    )
    yield case(
        "SparseToDense pairs",
        lambda i, v: raw.SparseToDense(
            sparse_indices=i, output_shape=[5, 3], sparse_values=v, default_value=0.0
        ),
        int32([1, 2], [3, 0]),
        floats(2),
    )
    yield case(
        "SparseToDense int",
        lambda i, v: raw.SparseToDense(
            sparse_indices=i, output_shape=[5], sparse_values=v, default_value=7
        ),
        int32(1, 3),
        ints(2),
    )
    yield case(
        "SparseToDense scalar",
        lambda i, v: raw.SparseToDense(
            sparse_indices=i, output_shape=[5], sparse_values=v, default_value=0.0
        ),
        int32(1, 3),
        np.float32(2),
    )
    yield case(
        "SparseSegmentSum",
        lambda x, i, s: raw.SparseSegmentSum(data=x, indices=i, segment_ids=s),
        floats(4, 3),
        int32(0, 2, 3),
        int32(0, 0, 1),
    )
    yield case(
        "SparseSegmentMean",
        lambda x, i, s: raw.SparseSegmentMean(data=x, indices=i, segment_ids=s),
        floats(4, 3),
        int32(0, 2, 3),
        int32(0, 0, 1),
    )
    yield case(
        "SparseSegmentSum gap",
        lambda x, i, s: raw.SparseSegmentSum(data=x, indices=i, segment_ids=s),
        floats(4, 3),
        int32(0, 2, 3),
        int32(0, 0, 2),
    )
    yield case("UniqueV2", lambda x: raw.UniqueV2(x=x, axis=[0]), int32(3, 1, 3, 2, 1))
    yield case(
        "UniqueV2 flat",
        lambda x: raw.UniqueV2(x=x, axis=np.zeros(0, np.int32)),
        int32(3, 1, 3, 2, 1),
    )
    yield case(
        "UniqueV2 rows", lambda x: raw.UniqueV2(x=x, axis=[0]), int32([3, 1], [3, 2], [3, 1])
    )
    yield case(
        "UniqueV2 columns", lambda x: raw.UniqueV2(x=x, axis=[1]), int32([3, 1, 3], [3, 2, 3])
    )
    yield case("Unique", lambda x: raw.Unique(x=x), [3.0, 1.0, 3.0, -2.5])
    yield case("ListDiff", lambda x, y: raw.ListDiff(x=x, y=y), int32(3, 1, 5, 2, 1), int32(2, 3))
    yield case("ListDiff float", lambda x, y: raw.ListDiff(x=x, y=y), [3.0, 1.0, 5.0], [1.0])
    yield case("Where", lambda x: tf.where(x), bools(3, 4))
    yield case("Where float", lambda x: tf.where(x), np.round(floats(3, 4)))
    yield case("Where none", lambda x: tf.where(x > 5), floats(3, 4))
    yield case("Where rank 1", lambda x: tf.where(x), bools(6))
    yield case("Where mask", lambda x: tf.boolean_mask(x, x[:, 0] > 0), floats(5, 3))
