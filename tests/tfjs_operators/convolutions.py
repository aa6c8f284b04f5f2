"""Convolutions, plain and fused with what follows."""

from __future__ import annotations

from collections.abc import Iterator

import tensorflow as tf

from tfjs_operators.case import Case, case, floats

raw = tf.raw_ops


def cases() -> Iterator[Case]:
    x, k = floats(2, 7, 8, 3), floats(3, 2, 3, 4, seed=1)
    for padding in ("SAME", "VALID", "EXPLICIT"):
        explicit = [0, 0, 1, 2, 0, 1, 0, 0] if padding == "EXPLICIT" else []
        for strides in ((1, 1), (2, 2), (2, 1)):
            s = [1, *strides, 1]
            yield case(
                f"Conv2D {padding} {strides}",
                lambda x, k, s=s, p=padding, e=explicit: raw.Conv2D(
                    input=x, filter=k, strides=s, padding=p, explicit_paddings=e
                ),
                x,
                k,
            )
            if strides[0] == strides[1] and padding != "EXPLICIT":
                yield case(
                    f"DepthwiseConv2dNative {padding} {strides}",
                    lambda x, k, s=s, p=padding, e=explicit: raw.DepthwiseConv2dNative(
                        input=x, filter=k, strides=s, padding=p, explicit_paddings=e
                    ),
                    x,
                    floats(3, 2, 3, 2, seed=1),
                )
            yield case(
                f"Conv2DBackpropInput {padding} {strides}",
                lambda x, k, s=strides, p=padding, e=explicit: tf.nn.conv2d_transpose(
                    x,
                    k,
                    {
                        "SAME": [2, 7 * s[0], 8 * s[1], 4],
                        "VALID": [2, 6 * s[0] + 3, 7 * s[1] + 2, 4],
                        "EXPLICIT": [2, 6 * s[0], 7 * s[1] + 1, 4],
                    }[p],
                    s,
                    p if p != "EXPLICIT" else [[0, 0], [1, 2], [0, 1], [0, 0]],
                ),
                x,
                floats(3, 2, 4, 3, seed=1),
            )
        yield case(
            f"Conv2D dilated {padding}",
            lambda x, k, p=padding, e=explicit: raw.Conv2D(
                input=x,
                filter=k,
                strides=[1, 1, 1, 1],
                padding=p,
                explicit_paddings=e,
                dilations=[1, 2, 3, 1],
            ),
            x,
            k,
        )
        if padding != "EXPLICIT":
            yield case(
                f"Conv3D {padding}",
                lambda x, k, p=padding: raw.Conv3D(
                    input=x, filter=k, strides=[1, 1, 2, 1, 1], padding=p
                ),
                floats(1, 4, 5, 6, 2),
                floats(2, 3, 2, 2, 3, seed=1),
            )
    yield case(
        "Conv2D const",
        lambda x: raw.Conv2D(input=x, filter=k, strides=[1, 1, 1, 1], padding="SAME"),
        x,
    )
    yield case(
        "Conv2D 1x1",
        lambda x, k: raw.Conv2D(input=x, filter=k, strides=[1, 1, 1, 1], padding="SAME"),
        x,
        floats(1, 1, 3, 4),
    )
    yield case(
        "Conv2D 1x1 strided",
        lambda x, k: raw.Conv2D(input=x, filter=k, strides=[1, 2, 2, 1], padding="VALID"),
        x,
        floats(1, 1, 3, 4),
    )
    yield case(
        "Conv2D whole",
        lambda x, k: raw.Conv2D(input=x, filter=k, strides=[1, 1, 1, 1], padding="VALID"),
        x,
        floats(7, 8, 3, 4),
    )
    for act in (None, "relu", "relu6", "elu", "leaky_relu", "sigmoid", "tanh"):
        f = (lambda y: y) if act is None else getattr(tf.nn, act)
        yield case(
            f"_FusedConv2D {act}", lambda x, f=f: f(tf.nn.conv2d(x, k, 1, "SAME") + floats(4)), x
        )
        yield case(
            f"FusedDepthwise {act}",
            lambda x, f=f: f(
                tf.nn.depthwise_conv2d(x, floats(3, 2, 3, 2), [1, 1, 1, 1], "SAME") + floats(6)
            ),
            x,
        )
        yield case(
            f"_FusedMatMul {act}",
            lambda x, f=f: f(tf.matmul(x, floats(3, 4)) + floats(4)),
            floats(5, 3),
        )
    yield case(
        "_FusedConv2D explicit",
        lambda x: tf.nn.relu(tf.nn.conv2d(x, k, 2, [[0, 0], [1, 2], [0, 1], [0, 0]]) + floats(4)),
        x,
    )
    yield case(
        "_FusedConv2D dilated",
        lambda x: tf.nn.relu(tf.nn.conv2d(x, k, 1, "SAME", dilations=2) + floats(4)),
        x,
    )
    yield case(
        "FusedDepthwise dilated",
        lambda x: tf.nn.relu(
            tf.nn.depthwise_conv2d(x, floats(3, 3, 3, 2), [1, 1, 1, 1], "SAME", dilations=[2, 2])
            + floats(6)
        ),
        x,
    )
    yield case(
        "DepthwiseConv2dNative dilated valid",
        lambda x, k: tf.nn.depthwise_conv2d(x, k, [1, 1, 1, 1], "VALID", dilations=[2, 2]),
        x,
        floats(2, 2, 3, 2),
    )
    yield case(
        "Conv1D", lambda x, k: tf.nn.conv1d(x, k, 2, "SAME"), floats(2, 9, 3), floats(3, 3, 4)
    )
    yield case(
        "Conv3D dilated",
        lambda x, k: raw.Conv3D(
            input=x, filter=k, strides=[1, 1, 1, 1, 1], padding="SAME", dilations=[1, 2, 2, 2, 1]
        ),
        floats(1, 5, 5, 6, 2),
        floats(2, 2, 2, 2, 3, seed=1),
    )
