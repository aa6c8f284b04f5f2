"""What half precision cannot hold stays in float32 in fp16 artifacts."""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.shape_inference import infer_shapes

from edgekit_converters.onnx import half


def model_of(nodes, constants):
    graph = helper.make_graph(
        nodes,
        "sensor",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 3])],
        [numpy_helper.from_array(np.float32(value), name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 18)]
    return infer_shapes(helper.make_model(graph, ir_version=8, opset_imports=opsets))


def run(model, x):
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(["y"], {"x": x})[0]


def test_a_sensor_with_a_large_mean_keeps_its_digits():
    constants = {"mean": [101325, 300, 50], "kernel": np.eye(3) / 100}
    nodes = [
        helper.make_node("Sub", ["x", "mean"], ["centered"]),
        helper.make_node("MatMul", ["centered", "kernel"], ["y"]),
    ]
    x = np.float32([[101300, 301, 52], [101400, 295, 44]])
    model = model_of(nodes, constants)
    expected = run(model, x)
    quantized, _ = half.quantize(model, None)
    np.testing.assert_allclose(run(quantized, x), expected, rtol=2e-3)
    assert {t.data_type for t in quantized.graph.initializer if t.name == "kernel"} == {
        TensorProto.FLOAT16
    }


def test_results_beyond_half_precision_are_given_in_full():
    nodes = [
        helper.make_node("Tanh", ["x"], ["small"]),
        helper.make_node("Mul", ["small", "scale"], ["y"]),
    ]
    model = model_of(nodes, {"scale": 200_000})
    x = np.float32([[0.1, -1, 2]])
    expected = run(model, x)
    quantized, _ = half.quantize(model, None)
    np.testing.assert_allclose(run(quantized, x), expected, rtol=2e-3)


def test_rows_that_are_masked_whole_stay_finite():
    nodes = [
        helper.make_node("Add", ["x", "mask"], ["masked"]),
        helper.make_node("Softmax", ["masked"], ["y"]),
    ]
    quantized, _ = half.quantize(model_of(nodes, {"mask": [-1e9, -1e9, -1e9]}), None)
    assert abs(run(quantized, np.float32([[1, 2, 3]])).sum() - 1) <= 0.01


def test_what_two_nodes_of_float32_read_is_cast_once():
    nodes = [
        helper.make_node("Exp", ["x"], ["e"]),
        helper.make_node("Min", ["e", "one"], ["low"], name="low"),
        helper.make_node("Max", ["e", "e"], ["high"], name="high"),
        helper.make_node("Add", ["low", "high"], ["y"]),
    ]
    model = model_of(nodes, {"one": 1})
    x = np.float32([[0.1, -1, 2]])
    expected = run(model, x)
    quantized, _ = half.quantize(model, None)
    np.testing.assert_allclose(run(quantized, x), expected, rtol=2e-3)


def test_what_onnx_has_in_float32_alone_reads_float32():
    nodes = [
        helper.make_node("Div", ["x", "zero"], ["quotient"]),
        helper.make_node("IsInf", ["quotient"], ["endless"], name="endless"),
        helper.make_node("Where", ["endless", "x", "zero"], ["y"]),
    ]
    model = model_of(nodes, {"zero": 0})
    x = np.float32([[0.5, 0, 2]])
    quantized, _ = half.quantize(model, None)
    np.testing.assert_array_equal(run(quantized, x), x)
