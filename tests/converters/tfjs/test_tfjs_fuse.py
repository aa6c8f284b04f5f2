"""What is fused, and what must not be. Every graph is also run: fused or not, it agrees."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from tfjs_tools import difference, noise, ops, trace

from edgekit_converters.sources.tfjs.unfuse import unfuse
from edgekit_converters.tfjs.write import prepare

TOLERANCE = 1e-5


def constant(*shape, seed=0):
    return tf.constant(np.random.default_rng(seed).uniform(0.5, 1.5, shape).astype(np.float32))


def conv(x, kernel, padding="SAME"):
    return tf.nn.conv2d(x, kernel, 1, padding)


def assert_prepared(graph, expected):
    prepared = prepare(graph)
    assert ops(prepared) == expected
    inputs = noise(graph)
    assert difference(unfuse(prepared).run(inputs), graph.run(inputs)) < TOLERANCE


@pytest.mark.slow
def test_mobilenet_v2_of_keras_3_is_fused_throughout(graphs):
    assert_prepared(
        graphs("mbv2"),
        {
            "_FusedConv2D": 35,
            "FusedDepthwiseConv2dNative": 17,
            "AddV2": 10,
            "Pad": 4,
            "Mean": 1,
            "MatMul": 1,
        },
    )


def test_a_batch_norm_of_keras_3_and_a_rescaling_become_part_of_their_convolutions(graphs):
    assert_prepared(
        graphs("conv_net"),
        {"_FusedConv2D": 3, "FusedDepthwiseConv2dNative": 1, "AddV2": 1, "Mean": 1, "MatMul": 1},
    )


def test_a_fused_batch_norm_of_a_saved_model_becomes_part_of_its_convolution():
    def norm(x, channels):
        return tf.compat.v1.nn.fused_batch_norm(
            x, *(constant(channels, seed=seed) for seed in range(4)), is_training=False
        )[0]

    def model(image):
        x = tf.nn.bias_add(conv(image, constant(3, 3, 3, 8)), constant(8))
        x = tf.nn.relu6(norm(x, 8))
        x = tf.nn.depthwise_conv2d(x, constant(3, 3, 8, 2), [1, 1, 1, 1], "SAME")
        return {"y": tf.nn.relu(norm(x, 16))}

    assert_prepared(
        trace(model, ["y"], image=(None, 6, 6, 3)),
        {"_FusedConv2D": 1, "FusedDepthwiseConv2dNative": 1},
    )


@pytest.mark.parametrize(
    ("activation", "conv_ops", "depthwise_ops"),
    [
        (tf.nn.relu, {}, {}),
        (tf.nn.relu6, {}, {}),
        (tf.nn.elu, {}, {}),
        (lambda x: tf.nn.leaky_relu(x, 0.3), {}, {"LeakyRelu": 1}),
        (tf.nn.sigmoid, {"Sigmoid": 1}, {"Sigmoid": 1}),
    ],
)
def test_an_activation_is_fused_where_the_loader_knows_it(activation, conv_ops, depthwise_ops):
    bias = -3 * constant(4)

    def dense(x):
        return {"y": activation(x @ constant(5, 4) + bias)}

    def convolution(x):
        return {"y": activation(conv(x, constant(2, 2, 3, 4)) + bias)}

    def depthwise(x):
        x = tf.nn.depthwise_conv2d(x, constant(2, 2, 4, 1), [1, 1, 1, 1], "VALID")
        return {"y": activation(x + bias)}

    assert_prepared(trace(dense, ["y"], x=(None, 5)), {"_FusedMatMul": 1, **conv_ops})
    assert_prepared(trace(convolution, ["y"], x=(None, 4, 4, 3)), {"_FusedConv2D": 1, **conv_ops})
    assert_prepared(
        trace(depthwise, ["y"], x=(None, 4, 4, 4)),
        {"FusedDepthwiseConv2dNative": 1, **depthwise_ops},
    )


def test_a_matrix_product_takes_in_the_batch_norm_before_and_behind_it():
    def model(x):
        x = x * constant(5, seed=1) - constant(5, seed=2)
        x = tf.matmul(x, constant(4, 5), transpose_b=True)
        return {"y": tf.nn.relu((constant(4, seed=3) - x) / constant(4, seed=4))}

    assert_prepared(trace(model, ["y"], x=(None, 5)), {"_FusedMatMul": 1})


def test_a_convolution_over_a_sequence_takes_in_the_bias_behind_its_squeeze():
    def model(x):
        return {"y": tf.nn.relu(tf.nn.conv1d(x, constant(3, 2, 4), 1, "SAME") + constant(4))}

    assert_prepared(
        trace(model, ["y"], x=(None, 8, 2)), {"ExpandDims": 1, "_FusedConv2D": 1, "Squeeze": 1}
    )


def test_a_tensor_that_two_ops_read_is_not_fused_away():
    def model(x):
        x = conv(x, constant(3, 3, 3, 4))
        return {"a": tf.nn.relu(x + constant(4)), "b": tf.nn.relu6(x * constant(4, seed=1))}

    assert_prepared(
        trace(model, ["a", "b"], x=(None, 5, 5, 3)),
        {"Conv2D": 1, "AddV2": 1, "Mul": 1, "Relu": 1, "Relu6": 1},
    )


def test_a_tensor_added_to_itself_is_not_taken_for_a_bias():
    def model(x):
        x = conv(x, constant(3, 3, 3, 4))
        return {"y": x + x}

    assert_prepared(trace(model, ["y"], x=(None, 5, 5, 3)), {"Conv2D": 1, "AddV2": 1})


def test_an_output_in_the_middle_survives():
    def model(x):
        middle = conv(x, constant(3, 3, 3, 4)) + constant(4)
        return {"middle": middle, "end": tf.nn.relu(middle)}

    assert_prepared(
        trace(model, ["middle", "end"], x=(None, 5, 5, 3)), {"_FusedConv2D": 1, "Relu": 1}
    )


def test_weights_that_two_convolutions_share_are_folded_for_each():
    def model(x):
        kernel = constant(3, 3, 3, 3)
        x = conv(x, kernel) * constant(3, seed=1)
        x = conv(x, kernel) * constant(3, seed=2)
        return {"y": conv(x, kernel)}

    assert_prepared(trace(model, ["y"], x=(None, 5, 5, 3)), {"Conv2D": 3})


def test_an_offset_before_a_padded_convolution_stays():
    def model(x):
        return {"y": conv(x * 2.0 - 1.0, constant(3, 3, 3, 4))}

    assert_prepared(trace(model, ["y"], x=(None, 5, 5, 3)), {"Mul": 1, "Sub": 1, "Conv2D": 1})


def test_an_offset_before_a_convolution_without_padding_becomes_its_bias():
    def model(x):
        x = tf.nn.depthwise_conv2d(
            x * constant(3) - 1.0, constant(3, 3, 3, 2), [1, 1, 1, 1], "VALID"
        )
        return {"y": conv(x + constant(6), constant(2, 2, 6, 4), "VALID")}

    assert_prepared(
        trace(model, ["y"], x=(None, 5, 5, 3)), {"FusedDepthwiseConv2dNative": 1, "Conv2D": 1}
    )


@pytest.mark.parametrize("shape", [(4, 4, 4), (4, 1), (4, 1, 1), (1, 4, 4, 4), (1, 1, 1, 1, 4)])
def test_a_constant_that_is_not_one_number_a_channel_stays(shape):
    def model(x):
        return {"y": conv(x, constant(3, 3, 3, 4)) + constant(*shape)}

    assert_prepared(trace(model, ["y"], x=(None, 4, 4, 3)), {"Conv2D": 1, "AddV2": 1})


def test_a_bias_behind_a_change_of_the_last_axis_stays():
    def model(x):
        x = tf.reshape(conv(x, constant(3, 3, 3, 6)), (-1, 5, 10, 3))
        return {"y": x + constant(3)}

    expected = {"Conv2D": 1, "Reshape": 1, "AddV2": 1}
    assert_prepared(trace(model, ["y"], x=(None, 5, 5, 3)), expected)


def test_a_constant_that_widens_the_channels_stays():
    def model(x):
        before = conv(x * constant(3), constant(3, 3, 3, 1), "VALID")
        return {"y": before * constant(8)}

    assert_prepared(trace(model, ["y"], x=(None, 5, 5, 1)), {"Mul": 2, "Conv2D": 1})


def test_weights_that_are_computed_stay():
    def model(x, kernel):
        return {"y": tf.nn.relu(x @ kernel + constant(4))}

    graph = trace(model, ["y"], x=(None, 5), kernel=(5, 4))
    assert_prepared(graph, {"MatMul": 1, "AddV2": 1, "Relu": 1})
