"""What TF.js computes wrongly, and edgekit cannot say otherwise, is refused by name."""

from __future__ import annotations

import re

import numpy as np
import pytest
import tensorflow as tf
from tfjs_tools import ops, trace

from edgekit_converters.tfjs.write import prepare
from edgekit_runtimes.errors import ConversionError

raw = tf.raw_ops
TRUST = "TF.js 4.22.0 cannot be trusted with "
WRONGLY = ", which TF.js 4.22.0 computes wrongly. Write the other formats: --to tflite,onnx"


def looped(step):
    """Return a function that does a step in a loop, where operators are not replaced."""
    return lambda x: tf.while_loop(lambda i, x: i < 3, lambda i, x: (i + 1, step(x)), [0, x])[1]


def branched(x):
    choices = [lambda number=number: tf.constant(float(number)) for number in range(3)]
    return tf.switch_case(tf.cast(x[0, 0], tf.int32), choices)


def dilated(x):
    image, kernel = x[None, :, :, None], tf.ones((2, 2, 1))
    return tf.nn.dilation2d(image, kernel, [1] * 4, "SAME", "NHWC", [1] * 4)


def suppressed(x):
    """The third output of NonMaxSuppressionV5: how many were selected."""
    return raw.NonMaxSuppressionV5(
        boxes=x,
        scores=x[:, 0],
        max_output_size=3,
        iou_threshold=0.5,
        score_threshold=0.0,
        soft_nms_sigma=0.0,
    )[2]


CASES = {
    TRUST + "Merge (indexed_case/merge), in which a branch": branched,
    TRUST + "Dilation2D (after x), which it computes wrongly on wasm": dilated,
    TRUST + "BitwiseAnd (after x), which it reads wrongly": lambda x: tf.cast(x, tf.int32) & 3,
    TRUST + "OneHot (while), which it reads wrongly": looped(
        lambda x: tf.one_hot(tf.argmax(x, 1), 4)
    ),
    "' needs Mean of integers" + WRONGLY: lambda x: tf.reduce_mean(tf.cast(x, tf.int32)),
    "' needs Pad of complex numbers" + WRONGLY: lambda x: tf.abs(
        tf.pad(tf.cast(x, tf.complex64), [[0, 1], [0, 1]])
    ),
    "' needs the last outputs of NonMaxSuppressionV5" + WRONGLY: suppressed,
    "' needs a slice with steps" + WRONGLY: looped(lambda x: x + x[::2, :2][0, ::-2][0]),
    "' needs Cumsum along an axis counted from the end" + WRONGLY: looped(
        lambda x: tf.cumsum(x, -1)
    ),
    "' needs FloorDiv of float32" + WRONGLY: looped(lambda x: x // 2.0),
    "' (IRFFT) makes a signal of the odd length 5, which TF.js does not have.": lambda x: (
        tf.signal.irfft(tf.complex(x, x), [5])
    ),
}


@pytest.mark.parametrize("message", CASES)
def test_what_tfjs_computes_wrongly_is_refused_by_name(message):
    graph = trace(lambda x: {"y": CASES[message](x)}, ["y"], x=(4, 4))
    with pytest.raises(ConversionError, match=re.escape(message)):
        prepare(graph)


def test_products_whose_weights_are_transposed_are_fused_with_them_turned_back():
    weights = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    graph = trace(
        lambda x: {"y": tf.nn.relu(tf.matmul(x, weights, transpose_b=True) + 1.0)}, ["y"], x=(2, 3)
    )
    prepared = prepare(graph)
    assert ops(prepared) == {"_FusedMatMul": 1}
    (fused,) = [node for node in prepared.graph_def.node if node.op == "_FusedMatMul"]
    assert not fused.attr["transpose_b"].b
    assert prepared.constants()[fused.input[1]].shape == (3, 5)


def test_strides_wider_than_the_kernel_need_an_image_of_known_size():
    def over(size, stride):
        kernel = tf.ones((size, size, 1, 1))
        return trace(
            lambda x: {"y": tf.nn.conv2d(x, kernel, stride, "SAME")}, ["y"], x=(1, None, None, 1)
        )

    with pytest.raises(ConversionError, match=r"strides wider than its kernel .* --input-shape"):
        prepare(over(2, 3))
    # A kernel of one number is never padded.
    (node,) = [node for node in prepare(over(1, 2)).graph_def.node if "Conv2D" in node.op]
    assert node.attr["padding"].s == b"VALID"
