"""Means over an image as global average pools."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgekit_converters.onnx.float_model.pooling import use_global_pools


def mean_model(axes, keepdims, shape):
    rank = len(shape) if keepdims else len(shape) - len(axes)
    graph = helper.make_graph(
        [helper.make_node("ReduceMean", ["x", "axes"], ["y"], "mean", keepdims=keepdims)],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * rank)],
        [numpy_helper.from_array(np.array(axes), "axes")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def run(model, x):
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"x": x})[0]


@pytest.mark.parametrize("axes", [[2, 3], [-1, -2]])
@pytest.mark.parametrize("keepdims", [0, 1])
def test_a_mean_over_height_and_width_becomes_a_pool_and_means_the_same(axes, keepdims):
    model = mean_model(axes, keepdims, ["batch", 3, None, 5])
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5)).astype(np.float32)
    before = run(model, x)
    use_global_pools(model.graph)
    kinds = [node.op_type for node in model.graph.node]
    assert kinds == ["GlobalAveragePool"] + ([] if keepdims else ["Flatten"])
    onnx.checker.check_model(model)
    after = run(model, x)
    assert after.shape == before.shape
    np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("axes", "shape"), [([1, 2], [1, 3, 4, 5]), ([3], [1, 3, 4, 5]), ([2, 1], [1, 3, 4])]
)
def test_other_means_stay(axes, shape):
    model = mean_model(axes, 1, shape)
    use_global_pools(model.graph)
    assert [node.op_type for node in model.graph.node] == ["ReduceMean"]
