"""From the frozen graph to the float ONNX model."""

import dataclasses
from collections import Counter

import keras
import models
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
from keras import layers
from models import freeze_model

from edgekit_converters.onnx.graph import graphs as all_graphs
from edgekit_converters.onnx.graph import layers as layers_of
from edgekit_converters.onnx.write import prepare
from edgekit_converters.sources import load_source
from edgekit_runtimes.errors import ConversionError


def run(model, inputs):
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, inputs), strict=True))


def sizes(value):
    return [size.dim_param or size.dim_value for size in value.type.tensor_type.shape.dim]


def operators(model):
    return Counter(node.op_type for graph in all_graphs(model.graph) for node in graph.node)


def assert_same_outputs(graph, model, inputs):
    expected, outputs = graph.run(inputs), run(model, inputs)
    assert outputs.keys() == expected.keys()
    for name in expected:
        np.testing.assert_allclose(outputs[name], expected[name], rtol=1e-4, atol=1e-5)


def test_inputs_and_outputs_have_the_names_of_the_signature_and_a_free_batch(graphs):
    model = prepare(graphs("two_in_two_out"))
    assert {value.name: sizes(value) for value in model.graph.input} == {
        "image": ["batch", 16, 16, 3],
        "meta": ["batch", 5],
    }
    assert {value.name: sizes(value) for value in model.graph.output} == {
        "zone": ["batch", 3],
        "age": ["batch", 1],
    }


def test_batch_norms_and_activations_fold_and_one_transpose_stays_for_nhwc():
    image = keras.Input((16, 16, 3), name="image")
    x = image
    for channels in (8, 16, 24):
        x = layers.Conv2D(channels, 3, padding="same", use_bias=False)(x)
        x = models._norm(x)
        x = layers.ReLU(6)(x)
        x = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x)
        x = models._norm(x)
    x = layers.GlobalAveragePooling2D()(x)
    model = keras.Model(image, layers.Dense(4, bias_initializer="ones", name="class")(x))
    graph = freeze_model(model)
    exported = prepare(graph)
    assert operators(exported) == {
        "Transpose": 1,
        "Conv": 6,
        "Clip": 3,
        "GlobalAveragePool": 1,
        "Flatten": 1,
        "Gemm": 1,
    }
    assert_same_outputs(graph, exported, models.random_inputs(model, 4))


@pytest.mark.slow
def test_mobilenet_v2_is_52_convolutions_with_one_transpose(graphs):
    assert operators(prepare(graphs("mbv2"))) == {
        "Conv": 52,
        "Clip": 35,
        "Add": 10,
        "Transpose": 1,
        "GlobalAveragePool": 1,
        "Flatten": 1,
        "MatMul": 1,
    }


def test_the_weights_of_a_recurrent_layer_are_constants_and_not_state_of_its_loop(graphs):
    model = prepare(graphs("recurrent_net"))
    loop = next(node for node in model.graph.node if node.op_type == "Loop")
    # Steps and condition, then the time step and the layer's two states.
    assert len(loop.input) == 5
    found = list(layers_of(model.graph))
    assert sorted(layer.in_loop for layer in found) == [False, True, True]
    assert_same_outputs(
        graphs("recurrent_net"), model, models.random_inputs(models.recurrent_net(), 1)
    )


def test_nested_and_stacked_recurrent_layers_convert():
    keras.utils.set_random_seed(6)
    steps = keras.Input((6, 4), name="steps")
    x = layers.Bidirectional(layers.GRU(8, return_sequences=True))(steps)
    model = keras.Model(steps, layers.Dense(3, name="class")(layers.LSTM(8)(x)))
    graph = freeze_model(model)
    exported = prepare(graph)
    assert sum(layer.in_loop for layer in layers_of(exported.graph)) == 6
    assert_same_outputs(graph, exported, models.random_inputs(model, 1))


def test_exact_gelu_converts():
    keras.utils.set_random_seed(7)
    features = keras.Input((8,), name="features")
    x = layers.Dense(16, activation="gelu")(features)
    model = keras.Model(features, layers.Dense(3, name="class")(x))
    graph = freeze_model(model)
    assert "Erfc" in {node.op for node in graph.graph_def.node}
    assert_same_outputs(graph, prepare(graph), models.random_inputs(model, 4))


def test_a_scalar_added_after_a_convolution_converts_although_an_optimizer_fails_on_it():
    keras.utils.set_random_seed(8)
    image = keras.Input((8, 8, 3), name="image")
    x = layers.Conv2D(4, 3, bias_initializer="ones")(image)
    x = layers.GlobalAveragePooling2D()(x * layers.ReLU(6)(x + 3.0))
    model = keras.Model(image, layers.Dense(3, name="class")(x))
    graph = freeze_model(model)
    assert_same_outputs(graph, prepare(graph), models.random_inputs(model, 4))


def test_integer_inputs_stay_integers():
    keras.utils.set_random_seed(9)
    image = keras.Input((8, 8, 1), dtype="uint8", name="image")
    x = layers.Conv2D(4, 3)(layers.Rescaling(1 / 255)(image))
    graph = freeze_model(keras.Model(image, layers.Dense(3, name="class")(layers.Flatten()(x))))
    inputs = {"image": np.arange(192, dtype=np.uint8).reshape(3, 8, 8, 1)}
    assert_same_outputs(graph, prepare(graph), inputs)


def test_operators_that_onnx_lacks_are_named(tmp_path):
    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="x")])
        def serve(self, x):
            return {"y": tf.raw_ops.Digamma(x=x) + tf.raw_ops.Zeta(x=x, q=x)}

    module = Module()
    tf.saved_model.save(module, str(tmp_path / "saved"), signatures=module.serve)
    graph = load_source(tmp_path / "saved").graph
    with pytest.raises(ConversionError, match=r"for: Digamma \(after x\), Zeta \(after x\)\. "):
        prepare(graph)


def test_an_output_named_as_an_input_is_refused_with_the_name(graphs):
    graph = graphs("dense_net")
    spec = dataclasses.replace(graph.outputs[0].spec, name="features")
    output = dataclasses.replace(graph.outputs[0], spec=spec)
    with pytest.raises(ConversionError, match="'features' names an input and an output"):
        prepare(dataclasses.replace(graph, outputs=(output,)))
