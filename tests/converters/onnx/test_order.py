"""ONNX artifacts of channels-first sources keep their order, without a Transpose at the border."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgekit_converters.onnx.float_model.export import prepare
from edgekit_converters.sources import load_source

WEIGHT = np.random.default_rng(0).standard_normal((4, 3, 3, 3)).astype(np.float32)


def saved(path, nodes, outputs):
    """Write a file with the input x: float32[n, 3, 8, 8] and one convolution's weights."""
    given = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 8, 8])]
    made = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in outputs.items()]
    weights = [numpy_helper.from_array(WEIGHT, "w")]
    graph = helper.make_graph(nodes, "g", given, made, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.save(model, path)
    return path


def conv(source, target):
    return helper.make_node("Conv", [source, "w"], [target], pads=[1, 1, 1, 1])


def run(model, x):
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})


@pytest.mark.parametrize(
    ("nodes", "outputs", "transposes"),
    [
        ([conv("x", "y")], {"y": ["n", 4, 8, 8]}, 0),
        # Both are outputs: one is the other's source.
        (
            [conv("x", "y"), helper.make_node("Relu", ["y"], ["z"])],
            {"y": ["n", 4, 8, 8], "z": ["n", 4, 8, 8]},
            None,
        ),
        # The input is read in both orders.
        (
            [conv("x", "y"), helper.make_node("Flatten", ["x"], ["flat"])],
            {"y": ["n", 4, 8, 8], "flat": ["n", 192]},
            None,
        ),
        ([helper.make_node("Sigmoid", ["x"], ["y"])], {"y": ["n", 3, 8, 8]}, 0),
    ],
)
def test_the_artifact_takes_and_gives_what_the_source_does(tmp_path, nodes, outputs, transposes):
    path = saved(tmp_path / "net.onnx", nodes, outputs)
    model = prepare(load_source(path).graph)
    x = np.random.default_rng(1).standard_normal((2, 3, 8, 8)).astype(np.float32)
    for found, wanted in zip(run(model.SerializeToString(), x), run(str(path), x), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
    if transposes is not None:
        assert sum(node.op_type == "Transpose" for node in model.graph.node) == transposes
