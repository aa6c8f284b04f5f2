"""Normalizations."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from tfjs_operators.case import Case, case, floats

raw = tf.raw_ops


def cases() -> Iterator[Case]:
    x = floats(2, 3, 4, 5)
    yield case("Softmax", lambda x: tf.nn.softmax(x), floats(3, 4) * 5)
    yield case("Softmax large", lambda x: tf.nn.softmax(x), floats(3, 4) * 500)
    yield case("Softmax rank 1", lambda x: tf.nn.softmax(x), floats(4))
    yield case("Softmax rank 4", lambda x: tf.nn.softmax(x), x)
    yield case("Softmax axis", lambda x: tf.nn.softmax(x, axis=1), x)
    yield case(
        "Softmax masked", lambda x: tf.nn.softmax(x), [[1.0, -np.inf, 2.0], [0.0, -1e9, 1.0]]
    )
    yield case("LogSoftmax", lambda x: tf.nn.log_softmax(x), floats(3, 4) * 5)
    yield case("LogSoftmax large", lambda x: tf.nn.log_softmax(x), floats(3, 4) * 500)
    yield case("LogSoftmax rank 3", lambda x: tf.nn.log_softmax(x), floats(2, 3, 4))
    args = [floats(5, seed=n) for n in (1, 2, 3)]
    var = np.abs(floats(5, seed=4)) + 0.1
    for epsilon in (0.001, 0.1):
        yield case(
            f"FusedBatchNormV3 {epsilon}",
            lambda x, a, b, m, v, e=epsilon: (
                raw.FusedBatchNormV3(
                    x=x, scale=a, offset=b, mean=m, variance=v, epsilon=e, is_training=False
                ).y
            ),
            x,
            *args,
            var,
        )
    yield case(
        "FusedBatchNormV2",
        lambda x, a, b, m, v: (
            raw.FusedBatchNormV2(
                x=x, scale=a, offset=b, mean=m, variance=v, epsilon=0.01, is_training=False
            ).y
        ),
        x,
        *args,
        var,
    )
    yield case(
        "FusedBatchNorm",
        lambda x, a, b, m, v: (
            raw.FusedBatchNorm(
                x=x, scale=a, offset=b, mean=m, variance=v, epsilon=0.01, is_training=False
            ).y
        ),
        x,
        *args,
        var,
    )
    yield case(
        "FusedBatchNormV3 training",
        lambda x, a, b: (
            raw.FusedBatchNormV3(
                x=x,
                scale=a,
                offset=b,
                mean=np.zeros(0, np.float32),
                variance=np.zeros(0, np.float32),
                epsilon=0.01,
                is_training=True,
            ).y
        ),
        x,
        *args[:2],
    )
    for radius, bias, alpha, beta in ((5, 1.0, 1.0, 0.5), (2, 0.5, 0.3, 0.75), (1, 1.0, 0.0, 0.0)):
        yield case(
            f"LRN {radius}",
            lambda x, r=radius, b=bias, a=alpha, e=beta: raw.LRN(
                input=x, depth_radius=r, bias=b, alpha=a, beta=e
            ),
            x,
        )
    yield case(
        "FakeQuantWithMinMaxVars",
        lambda x: raw.FakeQuantWithMinMaxVars(inputs=x, min=-1.0, max=1.5),
        x,
    )
    yield case(
        "FakeQuantWithMinMaxArgs",
        lambda x: raw.FakeQuantWithMinMaxArgs(inputs=x, min=-1.0, max=1.5),
        x,
    )
