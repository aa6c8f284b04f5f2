"""Masked values in statically quantized ONNX models."""

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.shape_inference import infer_shapes

from edgekit_converters.calibration import Calibration
from edgekit_converters.onnx.static.tried import quantize

SIZE = 16
CAUSAL = np.tril(np.ones((SIZE, SIZE), bool))


def attention(mask_nodes, constants):
    """Return a model of attention over x in which `mask_nodes` make `masked` of `scores`."""
    kernel = np.random.default_rng(0).standard_normal((SIZE, SIZE)).astype(np.float32) / 4
    nodes = [
        helper.make_node("MatMul", ["x", "kernel"], ["keys"]),
        helper.make_node("Transpose", ["keys"], ["turned"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["x", "turned"], ["scores"]),
        *mask_nodes,
        helper.make_node("Softmax", ["masked"], ["weights"]),
        helper.make_node("MatMul", ["weights", "x"], ["mixed"]),
        helper.make_node("MatMul", ["mixed", "kernel"], ["y"]),
    ]
    shape = [1, SIZE, SIZE]
    graph = helper.make_graph(
        nodes,
        "attention",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(a, n) for n, a in {"kernel": kernel, **constants}.items()],
    )
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 18)])
    return infer_shapes(model)


def adds(lowest):
    mask = np.where(CAUSAL, 0, lowest).astype(np.float32)
    return attention([helper.make_node("Add", ["scores", "mask"], ["masked"])], {"mask": mask})


def selects(lowest):
    constants = {"mask": CAUSAL, "lowest": np.array(lowest, np.float32)}
    return attention(
        [helper.make_node("Where", ["mask", "scores", "lowest"], ["masked"])], constants
    )


def subtracts(largest):
    constants = {"mask": (~CAUSAL).astype(np.float32), "largest": np.array(largest, np.float32)}
    nodes = [
        helper.make_node("Mul", ["mask", "largest"], ["amount"]),
        helper.make_node("Sub", ["scores", "amount"], ["masked"]),
    ]
    return attention(nodes, constants)


def run(model, samples):
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return np.concatenate([session.run(["y"], {"x": sample[None]})[0] for sample in samples])


@pytest.mark.parametrize(
    ("made", "value"),
    [
        (adds, -1e9),
        (adds, float(np.finfo(np.float32).min)),
        (selects, -1e9),
        (selects, -np.inf),
        (subtracts, 1e9),
    ],
)
def test_int8_keeps_the_scores_that_a_mask_leaves(made, value):
    samples = np.random.default_rng(1).standard_normal((80, SIZE, SIZE)).astype(np.float32)
    expected = run(made(value), samples[:16])
    calibration = Calibration(lambda: ({"x": sample[None]} for sample in samples[16:]))
    quantized, _ = quantize(made(value), calibration, "low")
    error = run(quantized, samples[:16]) - expected
    assert 10 * np.log10((expected**2).sum() / (error**2).sum()) >= 25
    layers = [node for node in quantized.graph.node if node.op_type == "MatMul"]
    makers = {name: node.op_type for node in quantized.graph.node for name in node.output}
    assert all(makers[node.input[0]] == "DequantizeLinear" for node in layers)


def test_without_a_mask_everything_is_quantized():
    model = attention([helper.make_node("Identity", ["scores"], ["masked"])], {})
    samples = np.random.default_rng(1).standard_normal((20, SIZE, SIZE)).astype(np.float32)
    calibration = Calibration(lambda: ({"x": sample[None]} for sample in samples))
    quantized, _ = quantize(model, calibration, "low")
    makers = {name: node.op_type for node in quantized.graph.node for name in node.output}
    softmax = next(node for node in quantized.graph.node if node.op_type == "Softmax")
    assert makers[softmax.input[0]] == "DequantizeLinear"
