"""Operators whose results or sizes depend on values: choices, loops, lists, random numbers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from tfjs_operators.case import Case, bools, case, floats, int32, ints

raw = tf.raw_ops

BOXES = np.asarray([[0, 0, 1, 1], [0, 0.1, 1, 1.1], [0, -0.1, 1, 0.9], [0, 10, 1, 11], [0, 10.1, 1, 11.1], [0, 100, 1, 101]], np.float32)
SCORES = np.asarray([0.9, 0.75, 0.6, 0.95, 0.5, 0.3], np.float32)


def suppressions() -> Iterator[Case]:
    common = {"max_output_size": 4, "iou_threshold": 0.5}
    yield case("NonMaxSuppressionV2", lambda b, s: raw.NonMaxSuppressionV2(boxes=b, scores=s, **common), BOXES, SCORES)
    yield case("NonMaxSuppressionV3", lambda b, s: raw.NonMaxSuppressionV3(boxes=b, scores=s, score_threshold=0.4, **common), BOXES, SCORES)
    yield case("NonMaxSuppressionV3 all", lambda b, s: raw.NonMaxSuppressionV3(boxes=b, scores=s, score_threshold=-np.inf, **common), BOXES, SCORES - 1)
    yield case("NonMaxSuppressionV3 none", lambda b, s: raw.NonMaxSuppressionV3(boxes=b, scores=s, score_threshold=2.0, **common), BOXES, SCORES)
    yield case("NonMaxSuppressionV3 flipped", lambda b, s: raw.NonMaxSuppressionV3(boxes=b, scores=s, score_threshold=0.0, **common), BOXES[:, [2, 3, 0, 1]].copy(), SCORES)
    yield case("NonMaxSuppressionV3 ties", lambda b, s: raw.NonMaxSuppressionV3(boxes=b, scores=s, score_threshold=0.0, **common), BOXES, np.full(6, 0.5, np.float32))
    for pad in (False, True):
        yield case(f"NonMaxSuppressionV4 {pad}", lambda b, s, p=pad: raw.NonMaxSuppressionV4(boxes=b, scores=s, score_threshold=0.4, pad_to_max_output_size=p, **common), BOXES, SCORES)
    yield case("NonMaxSuppressionV5", lambda b, s: raw.NonMaxSuppressionV5(boxes=b, scores=s, score_threshold=0.4, soft_nms_sigma=0.0, **common)[:2], BOXES, SCORES)
    yield case("NonMaxSuppressionV5 soft", lambda b, s: raw.NonMaxSuppressionV5(boxes=b, scores=s, max_output_size=6, iou_threshold=0.5, score_threshold=0.0, soft_nms_sigma=0.5)[:2], BOXES, SCORES)


def branches() -> Iterator[Case]:
    x = floats(2, 3)
    for sign in (1, -1):
        yield case(f"If {sign}", lambda x: tf.cond(tf.reduce_sum(x) > 0, lambda: x * 2.0, lambda: x - 1.0), np.abs(x) * sign)
        yield case(f"If two {sign}", lambda x: tf.cond(tf.reduce_sum(x) > 0, lambda: (x, x + 1.0), lambda: (x - 1.0, x)), np.abs(x) * sign)
        yield case(f"If in If {sign}", lambda x: tf.cond(tf.reduce_sum(x) > 0, lambda: tf.cond(x[0, 0] > 1, lambda: x, lambda: -x), lambda: x - 1.0), np.abs(x) * sign)
        yield case(f"StatelessIf {sign}", lambda x: tf.cond(tf.reduce_sum(x) > 0, lambda: x * 2.0, lambda: x - 1.0) + 1.0, np.abs(x) * sign)
    yield case("While", lambda x: tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * 1.5), [0, x])[1], x)
    yield case("While count", lambda x: tf.while_loop(lambda i, y: tf.reduce_sum(y) < 50.0, lambda i, y: (i + 1, y * 1.5), [0, x]), np.abs(x))
    yield case("While none", lambda x: tf.while_loop(lambda i, y: tf.reduce_sum(y) < -50.0, lambda i, y: (i + 1, y * 1.5), [0, x]), np.abs(x))
    yield case("While in While", lambda x: tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, tf.while_loop(lambda j, z: j < 2, lambda j, z: (j + 1, z + 0.5), [0, y])[1]), [0, x])[1], x)
    yield case("If in While", lambda x: tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, tf.cond(i > 1, lambda: y * 2.0, lambda: y - 1.0)), [0, x])[1], x)
    yield case("While shape", lambda x: tf.while_loop(lambda y: tf.shape(y)[0] < 9, lambda y: tf.concat([y, y], 0), [x], shape_invariants=[tf.TensorShape([None, 3])])[0], x)


def lists() -> Iterator[Case]:
    x = floats(4, 3)
    yield case("map", lambda x: tf.map_fn(lambda r: r * 2.0, x), x)
    yield case("scan", lambda x: tf.scan(lambda a, r: a + r, x), x)
    yield case("scan reverse", lambda x: tf.scan(lambda a, r: a + r, x, reverse=True), x)
    yield case("TensorListFromTensor", lambda x: raw.TensorListGetItem(input_handle=raw.TensorListFromTensor(tensor=x, element_shape=[3]), index=2, element_shape=[3], element_dtype=tf.float32), x)
    yield case("TensorListLength", lambda x: raw.TensorListLength(input_handle=raw.TensorListFromTensor(tensor=x, element_shape=[3])), x)
    yield case("TensorListStack all", lambda x: raw.TensorListStack(input_handle=raw.TensorListFromTensor(tensor=x, element_shape=[3]), element_shape=[3], element_dtype=tf.float32, num_elements=4), x)
    yield case("TensorListStack free", lambda x: raw.TensorListStack(input_handle=raw.TensorListFromTensor(tensor=x, element_shape=[3]), element_shape=[-1], element_dtype=tf.float32, num_elements=-1), x)
    yield case("TensorListGather", lambda x: raw.TensorListGather(input_handle=raw.TensorListFromTensor(tensor=x, element_shape=[3]), indices=[2, 0], element_shape=[3], element_dtype=tf.float32), x)
    yield case("TensorListScatterV2", lambda x: raw.TensorListStack(input_handle=raw.TensorListScatterV2(tensor=x, indices=[2, 0, 3, 1], element_shape=[3], num_elements=4), element_shape=[3], element_dtype=tf.float32), x)
    empty = lambda: raw.EmptyTensorList(element_shape=[3], max_num_elements=-1, element_dtype=tf.float32)  # noqa: E731
    push = lambda l, x: raw.TensorListPushBack(input_handle=l, tensor=x)  # noqa: E731
    yield case("TensorListPushBack", lambda x: raw.TensorListStack(input_handle=push(push(empty(), x[0]), x[1]), element_shape=[3], element_dtype=tf.float32), x)
    yield case("TensorListResize", lambda x: raw.TensorListStack(input_handle=raw.TensorListResize(input_handle=raw.TensorListFromTensor(tensor=x, element_shape=[3]), size=2), element_shape=[3], element_dtype=tf.float32), x)
    yield case("TensorListSetItem", lambda x: raw.TensorListStack(input_handle=raw.TensorListSetItem(input_handle=raw.TensorListFromTensor(tensor=x, element_shape=[3]), index=1, item=x[0] * 9.0), element_shape=[3], element_dtype=tf.float32), x)
    yield case("TensorListSetItem shared", lambda x: _shared(x), x)
    yield case("TensorArray loop", lambda x: _collect(x), x)
    yield case("TensorArray int", lambda x: _collect(x), ints(4, 3))
    yield case("TensorArray bool", lambda x: tf.map_fn(lambda r: tf.logical_not(r), x), bools(4, 3))


def _shared(x):
    first = raw.TensorListFromTensor(tensor=x, element_shape=[3])
    second = raw.TensorListSetItem(input_handle=first, index=1, item=x[0] * 9.0)
    stack = lambda l: raw.TensorListStack(input_handle=l, element_shape=[3], element_dtype=tf.float32)  # noqa: E731
    return stack(first), stack(second)


def _collect(x):
    array = tf.TensorArray(x.dtype, size=4)
    def step(i, total, array):
        total = total + x[i]
        return i + 1, total, array.write(i, total)
    return tf.while_loop(lambda i, *_: i < 4, step, [0, tf.zeros_like(x[0]), array])[2].stack()


def random() -> Iterator[Case]:
    def moments(y):
        y = tf.cast(y, tf.float32)
        return tf.stack([tf.reduce_mean(y), tf.math.reduce_std(y)])
    n = int32(20000)
    yield case("RandomUniform", lambda n: moments(raw.RandomUniform(shape=n, dtype=tf.float32)), n, tolerance=0.05)
    yield case("RandomStandardNormal", lambda n: moments(raw.RandomStandardNormal(shape=n, dtype=tf.float32)), n, tolerance=0.05)
    yield case("TruncatedNormal", lambda n: moments(raw.TruncatedNormal(shape=n, dtype=tf.float32)), n, tolerance=0.05)
    yield case("RandomUniformInt", lambda n: moments(raw.RandomUniformInt(shape=n, minval=3, maxval=10)), n, tolerance=0.05)
    yield case("Multinomial", lambda x: moments(raw.Multinomial(logits=x, num_samples=20000)), [[0.0, 2.0, -1.0]], tolerance=0.05)


def cases() -> Iterator[Case]:
    yield from suppressions()
    yield from branches()
    yield from lists()
    yield from random()
