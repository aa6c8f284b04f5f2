"""Lists of tensors, by which loops collect their steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from tfjs_operators.case import Case, bools, case, floats, ints

raw = tf.raw_ops


def cases() -> Iterator[Case]:
    x = floats(4, 3)
    yield case("map", lambda x: tf.map_fn(lambda r: r * 2.0, x), x)
    yield case("scan", lambda x: tf.scan(lambda a, r: a + r, x), x)
    yield case("scan reverse", lambda x: tf.scan(lambda a, r: a + r, x, reverse=True), x)
    yield case(
        "TensorListFromTensor",
        lambda x: raw.TensorListGetItem(
            input_handle=raw.TensorListFromTensor(tensor=x, element_shape=[3]),
            index=2,
            element_shape=[3],
            element_dtype=tf.float32,
        ),
        x,
    )
    yield case(
        "TensorListLength",
        lambda x: raw.TensorListLength(
            input_handle=raw.TensorListFromTensor(tensor=x, element_shape=[3])
        ),
        x,
    )
    yield case(
        "TensorListStack all",
        lambda x: raw.TensorListStack(
            input_handle=raw.TensorListFromTensor(tensor=x, element_shape=[3]),
            element_shape=[3],
            element_dtype=tf.float32,
            num_elements=4,
        ),
        x,
    )
    yield case(
        "TensorListStack free",
        lambda x: raw.TensorListStack(
            input_handle=raw.TensorListFromTensor(tensor=x, element_shape=[3]),
            element_shape=[-1],
            element_dtype=tf.float32,
            num_elements=-1,
        ),
        x,
    )
    yield case(
        "TensorListGather",
        lambda x: raw.TensorListGather(
            input_handle=raw.TensorListFromTensor(tensor=x, element_shape=[3]),
            indices=[2, 0],
            element_shape=[3],
            element_dtype=tf.float32,
        ),
        x,
    )
    yield case(
        "TensorListScatterV2",
        lambda x: raw.TensorListStack(
            input_handle=raw.TensorListScatterV2(
                tensor=x, indices=[2, 0, 3, 1], element_shape=[3], num_elements=4
            ),
            element_shape=[3],
            element_dtype=tf.float32,
        ),
        x,
    )
    yield case(
        "TensorListPushBack",
        lambda x: raw.TensorListStack(
            input_handle=_push(_push(_empty(), x[0]), x[1]),
            element_shape=[3],
            element_dtype=tf.float32,
        ),
        x,
    )
    yield case(
        "TensorListResize",
        lambda x: raw.TensorListStack(
            input_handle=raw.TensorListResize(
                input_handle=raw.TensorListFromTensor(tensor=x, element_shape=[3]), size=2
            ),
            element_shape=[3],
            element_dtype=tf.float32,
        ),
        x,
    )
    yield case(
        "TensorListSetItem",
        lambda x: raw.TensorListStack(
            input_handle=raw.TensorListSetItem(
                input_handle=raw.TensorListFromTensor(tensor=x, element_shape=[3]),
                index=1,
                item=x[0] * 9.0,
            ),
            element_shape=[3],
            element_dtype=tf.float32,
        ),
        x,
    )
    yield case("TensorArray loop", lambda x: _collect(x), x)
    yield case("TensorArray int", lambda x: _collect(x), ints(4, 3))
    yield case("TensorArray bool", lambda x: tf.map_fn(lambda r: tf.logical_not(r), x), bools(4, 3))


def _empty() -> Any:
    return raw.EmptyTensorList(element_shape=[3], max_num_elements=-1, element_dtype=tf.float32)


def _push(handle: Any, item: Any) -> Any:
    return raw.TensorListPushBack(input_handle=handle, tensor=item)


def _collect(x: Any) -> Any:
    array = tf.TensorArray(x.dtype, size=4)

    def step(i, total, array):
        total = total + x[i]
        return i + 1, total, array.write(i, total)

    return tf.while_loop(lambda i, *_: i < 4, step, [0, tf.zeros_like(x[0]), array])[2].stack()
