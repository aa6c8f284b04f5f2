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
    # Where a stride is wider than a kernel, what is padded may count less than nothing.
    for size, strides in (((1, 1), (2, 2)), ((2, 2), (3, 3)), ((1, 3), (2, 1)), ((2, 1), (3, 2))):
        for image in (floats(2, 6, 8, 3), floats(2, 7, 9, 3)):
            yield case(
                f"Conv2D wide {size} {strides} {image.shape}",
                lambda x, k, s=strides: raw.Conv2D(
                    input=x, filter=k, strides=[1, *s, 1], padding="SAME"
                ),
                image,
                floats(*size, 3, 4, seed=1),
            )
            if strides[0] == strides[1]:
                yield case(
                    f"DepthwiseConv2dNative wide {size} {strides} {image.shape}",
                    lambda x, k, s=strides: raw.DepthwiseConv2dNative(
                        input=x, filter=k, strides=[1, *s, 1], padding="SAME"
                    ),
                    image,
                    floats(*size, 3, 2, seed=1),
                )
            yield case(
                f"Conv2DBackpropInput wide {size} {strides} {image.shape}",
                lambda x, k, s=strides: tf.nn.conv2d_transpose(
                    x, k, [2, x.shape[1] * s[0], x.shape[2] * s[1], 4], list(s), "SAME"
                ),
                image,
                floats(*size, 4, 3, seed=1),
            )
    for size, stride in ((1, 2), (2, 3)):
        yield case(
            f"Conv3D wide {size} {stride}",
            lambda x, k, s=stride: raw.Conv3D(
                input=x, filter=k, strides=[1, s, s, s, 1], padding="SAME"
            ),
            floats(1, 6, 7, 8, 2),
            floats(size, size, size, 2, 3, seed=1),
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
