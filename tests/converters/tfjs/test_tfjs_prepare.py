"""The prepared graph agrees with the original, in TF.js's types, or is refused by name."""

from __future__ import annotations

import json
import subprocess

import numpy as np
import pytest
import tensorflow as tf
from tfjs_tools import NODE, difference, noise, ops, require_node, trace

from edgekit_converters.graph.fold import MAX_GROWN_ELEMENTS
from edgekit_converters.sources.tfjs.unfuse import unfuse
from edgekit_converters.tfjs import ops as ops_module
from edgekit_converters.tfjs.ops import supported_ops
from edgekit_converters.tfjs.write import prepare
from edgekit_runtimes.errors import ConversionError

TOLERANCE = 1e-5


def run_prepared(graph, inputs=None):
    inputs = inputs or noise(graph)
    prepared = prepare(graph)
    narrow = {spec.name: inputs[spec.name].astype(spec.dtype) for spec in prepared.input_specs}
    return unfuse(prepared).run(narrow), graph.run(inputs)


@pytest.mark.parametrize("name", ["conv_net", "dense_net", "two_in_two_out", "recurrent_net"])
def test_a_prepared_model_agrees_with_its_graph(graphs, name):
    actual, expected = run_prepared(graphs(name))
    assert difference(actual, expected) < TOLERANCE


@pytest.mark.slow
def test_prepared_mbv2_agrees_with_its_graph(graphs):
    actual, expected = run_prepared(graphs("mbv2"))
    assert difference(actual, expected) < TOLERANCE


def test_what_depends_on_constants_only_is_computed():
    def model(x):
        table = tf.reshape(tf.range(12.0), (3, 4))
        return {"y": x + tf.reduce_sum(tf.split(table, 2, axis=1)[1] ** 2, axis=1)}

    graph = trace(model, ["y"], x=(None, 3))
    assert ops(prepare(graph)) == {"AddV2": 1}
    actual, expected = run_prepared(graph)
    assert difference(actual, expected) < TOLERANCE


@pytest.mark.parametrize(("elements", "left"), [(0, {}), (1, {"Fill": 1})])
def test_a_constant_that_would_blow_up_the_file_is_left_to_be_made_at_run_time(elements, left):
    def model(x):
        return {"y": x + tf.raw_ops.Fill(dims=[MAX_GROWN_ELEMENTS + elements], value=0.5)}

    graph = trace(model, ["y"], x=(None, 1))
    assert ops(prepare(graph)) == {"AddV2": 1, **left}


def test_random_numbers_are_not_constants():
    graph = trace(lambda x: {"y": x + tf.random.uniform((3,))}, ["y"], x=(None, 3))
    assert ops(prepare(graph)) == {"AddV2": 1, "RandomUniform": 1}


def test_types_that_tfjs_lacks_become_those_it_has():
    def model(pixels, ids):
        half = tf.cast(pixels, tf.float16) * tf.constant(0.25, tf.float16)
        table = tf.constant(np.arange(20.0).reshape(10, 2))
        double = tf.gather(table, ids)
        return {
            "half": half,
            "double": double,
            "long": tf.argmax(double, -1),
            "where": tf.where(pixels > 4),
            "rest": ids[1 : tf.constant(np.iinfo(np.int64).max)],
        }

    names = ["half", "double", "long", "where", "rest"]
    graph = trace(model, names, pixels=((4, 3), "uint8"), ids=((5,), "int64"))
    prepared = prepare(graph)
    assert [spec.dtype for spec in prepared.input_specs] == ["int32", "int32"]
    assert [spec.dtype for spec in prepared.output_specs] == [
        "float32",
        "float32",
        "int32",
        "int32",
        "int32",
    ]
    actual, expected = run_prepared(graph)
    assert {array.dtype.name for array in actual.values()} == {"float32", "int32"}
    assert difference(actual, expected) == 0


def test_every_output_has_a_node_of_its_own():
    def model(x):
        left, right = tf.split(x, 2, axis=1)
        return {
            "right": right,
            "same": left,
            "again": left,
            "echo": x,
            "fixed": tf.constant([1.0, 2.0]),
        }

    graph = trace(model, ["right", "same", "again", "echo", "fixed"], x=(None, 4))
    prepared = prepare(graph)
    kinds = {node.name: node.op for node in prepared.graph_def.node}
    nodes = [entry.node for entry in prepared.outputs]
    assert len(set(nodes)) == len(nodes)
    assert all(entry.tensor.endswith(":0") for entry in prepared.outputs)
    assert not {kinds[name] for name in nodes} & {"Const", "Placeholder"}
    actual, expected = run_prepared(graph)
    assert difference(actual, expected) == 0


def test_an_input_that_nothing_reads_stays_in_the_signature():
    graph = trace(lambda x, y: {"z": tf.nn.relu(x)}, ["z"], x=(None, 2), y=(None, 2))
    assert [entry.spec.name for entry in prepare(graph).inputs] == ["x", "y"]
    actual, expected = run_prepared(graph)
    assert difference(actual, expected) == 0


def test_gelu_is_said_in_ops_that_tfjs_has():
    graph = trace(lambda x: {"y": tf.math.erfc(x)}, ["y"], x=(None, 9))
    assert ops(prepare(graph)) == {"Sub": 1, "Erf": 1}
    actual, expected = run_prepared(graph)
    assert difference(actual, expected) < TOLERANCE


def test_all_ops_that_tfjs_lacks_are_named_in_one_error():
    def model(x):
        return {"y": tf.linalg.inv(x) + tf.math.lgamma(x) + tf.linalg.cholesky(x)}

    with pytest.raises(ConversionError) as error:
        prepare(trace(model, ["y"], x=(3, 3)))
    assert str(error.value) == (
        "TF.js 4.22.0 has no Cholesky (after x), Lgamma (after x), MatrixInverse (after x). "
        "Replace the layers that make these ops, or write the other formats: --to tflite,onnx"
    )


def test_an_op_that_tfjs_lacks_is_found_inside_a_loop():
    def model(x):
        return {"y": tf.while_loop(lambda x: tf.reduce_sum(x) < 9, tf.math.lgamma, [x])[0]}

    with pytest.raises(ConversionError, match=r"TF\.js 4\.22\.0 has no Lgamma \(while\)\."):
        prepare(trace(model, ["y"], x=(3,)))


def test_an_op_that_tfjs_lacks_does_no_harm_where_nothing_needs_it():
    def model(x):
        tf.while_loop(lambda x: tf.reduce_sum(x) < 9, tf.math.lgamma, [x])
        return {"y": tf.nn.relu(x)}

    graph = trace(model, ["y"], x=(3,))
    assert "Lgamma" in {n.op for f in graph.graph_def.library.function for n in f.node_def}
    assert ops(prepare(graph)) == {"Relu": 1}


def test_a_loop_that_collects_its_steps_inside_another_is_refused():
    def model(x):
        def steps(_, total):
            return tf.reduce_sum(tf.map_fn(lambda row: row + total, x)), total + 1

        return {"y": tf.while_loop(lambda _, total: total < 3, steps, [0.0, 0.0])[0]}

    with pytest.raises(ConversionError, match="cannot collect the steps of a loop"):
        prepare(trace(model, ["y"], x=(3, 2)))


def test_an_output_that_the_loader_cannot_name_inside_a_loop_is_refused():
    def model(x):
        def step(x):
            return tf.cast(tf.math.top_k(x, 3).indices, tf.float32)

        return {"y": tf.while_loop(lambda x: tf.reduce_sum(x) < 9, step, [x])[0]}

    with pytest.raises(ConversionError, match="cannot read 'indices' of TopKV2 inside a loop"):
        prepare(trace(model, ["y"], x=(3,)))


def test_a_convolution_of_many_groups_is_refused():
    def model(x):
        return {"y": tf.nn.conv2d(x, tf.ones((3, 3, 2, 66)), 1, "SAME")}

    with pytest.raises(
        ConversionError, match=r"grouped convolution \(66 channels in, kernels over 2.*more groups"
    ):
        prepare(trace(model, ["y"], x=(None, 5, 5, 66)))


def test_a_convolution_of_one_channel_per_group_is_depthwise():
    def model(x):
        return {"y": tf.nn.conv2d(x, tf.ones((3, 3, 1, 8)), 1, "SAME")}

    prepared = prepare(trace(model, ["y"], x=(None, 5, 5, 4)))
    assert ops(prepared) == {"DepthwiseConv2dNative": 1}


def test_a_band_of_a_matrix_of_free_size_is_refused():
    def model(x):
        return {"y": tf.linalg.band_part(x, -1, 0)}

    with pytest.raises(ConversionError, match=r"MatrixBandPart.*--input-shape"):
        prepare(trace(model, ["y"], x=(2, None, 4)))


def test_a_layer_that_works_channels_first_works_channels_last_here():
    def model(x):
        pooled = tf.nn.max_pool2d(x, 2, 2, "SAME", data_format="NCHW")
        return {"y": tf.nn.bias_add(pooled, tf.ones(4), data_format="NCHW")}

    prepared = prepare(trace(model, ["y"], x=(None, 4, 6, 6)))
    layouts = [n.attr["data_format"].s for n in prepared.graph_def.node if "data_format" in n.attr]
    assert layouts
    assert not any(layout.startswith(b"NC") for layout in layouts)


def test_the_listed_ops_are_those_of_the_npm_package():
    require_node()
    answer = subprocess.run(
        ["node", NODE / "list_ops.mjs"], capture_output=True, text=True, check=True
    )
    told = json.loads(answer.stdout)
    committed = json.loads(
        (NODE.parents[3] / "converters/edgekit_converters/tfjs/supported_ops.json").read_text()
    )
    assert committed == told, f"stale: see {ops_module.__name__}"
    package = json.loads((NODE / "package.json").read_text())
    assert package["dependencies"]["@tensorflow/tfjs"] == told["version"]
    assert {"_FusedConv2D", "FusedDepthwiseConv2dNative", "_FusedMatMul"} < supported_ops()
