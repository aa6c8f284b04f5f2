"""Weights of ONNX artifacts: int8 with a scale a channel, and 4 bits in blocks."""

from pathlib import Path

import models
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgekit_converters.integers import INT8_MAX, asymmetric_int4, symmetric_int8
from edgekit_converters.onnx import int4, weights
from edgekit_converters.onnx.graph import layers
from edgekit_converters.onnx.write import prepare, write


@pytest.fixture
def conv_net_weights(graphs, tmp_path) -> dict[str, onnx.ModelProto]:
    """Return conv_net as fp32 and as int8-weights."""
    prepared = prepare(graphs("conv_net"))
    made = {}
    for quantization in ("fp32", "int8-weights"):
        path: Path = tmp_path / f"{quantization}.onnx"
        write(prepared, quantization, path, None)
        made[quantization] = onnx.load(path)
    return made


def constants(model):
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def dense_model(kernel, transposed=False, bias=False):
    """Return a model of one dense layer: a MatMul, or a Gemm where it has more to say."""
    outputs = kernel.shape[0] if transposed else kernel.shape[1]
    inputs = kernel.shape[1] if transposed else kernel.shape[0]
    tensors = [numpy_helper.from_array(kernel, "kernel")]
    if bias:
        tensors.append(numpy_helper.from_array(np.arange(outputs, dtype=np.float32), "bias"))
    names = ["x", *(tensor.name for tensor in tensors)]
    node = (
        helper.make_node("Gemm", names, ["y"], transB=int(transposed))
        if transposed or bias
        else helper.make_node("MatMul", names, ["y"])
    )
    graph = helper.make_graph(
        [node],
        "dense",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", inputs])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", outputs])],
        tensors,
    )
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 18)])


def run(model, x):
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(["y"], {"x": x})[0]


def test_large_kernels_are_int8_with_one_scale_an_output_channel(conv_net_weights):
    quantized = conv_net_weights["int8-weights"]
    tensors = constants(quantized)
    read = [node for node in quantized.graph.node if node.op_type == "DequantizeLinear"]
    shapes = {}
    for node in read:
        kernel, scales = (tensors[name] for name in node.input)
        assert kernel.dtype == np.int8
        assert scales.dtype == np.float32
        axis = node.attribute[0].i
        assert scales.shape == (kernel.shape[axis],)
        others = tuple(i for i in range(kernel.ndim) if i != axis)
        assert (np.abs(kernel).max(axis=others) == INT8_MAX).all()
        shapes[kernel.shape] = axis
    assert shapes == {(16, 16, 1, 1): 0, (32, 16, 3, 3): 0, (32, 10): 1}


def test_small_kernels_stay_float(conv_net_weights):
    stay = {tuple(layer.kernel.dims) for layer in layers(conv_net_weights["int8-weights"].graph)}
    assert stay == {(16, 1, 3, 3)}


def test_int8_weights_differ_from_the_trained_ones_by_half_a_step_at_most(conv_net_weights):
    original = {
        tuple(layer.kernel.dims): numpy_helper.to_array(layer.kernel)
        for layer in layers(conv_net_weights["fp32"].graph)
    }
    tensors = constants(conv_net_weights["int8-weights"])
    for node in conv_net_weights["int8-weights"].graph.node:
        if node.op_type == "DequantizeLinear":
            kernel, scales = (tensors[name] for name in node.input)
            axis = node.attribute[0].i
            others = tuple(i for i in range(kernel.ndim) if i != axis)
            steps = np.expand_dims(scales, others)
            error = np.abs(kernel * steps - original[kernel.shape])
            assert (error <= 0.501 * steps).all()


def test_depthwise_kernels_have_a_scale_for_each_channel(graphs):
    kernel = np.ones((64, 1, 3, 3), np.float32) * np.arange(1, 65)[:, None, None, None]
    integers, scales = symmetric_int8(kernel, channel_axis=0)
    assert (integers == 127).all()
    np.testing.assert_allclose(scales, np.arange(1, 65) / 127, rtol=1e-6)


def test_a_channel_of_zeros_stays_zero():
    kernel = np.array([[0, 0], [1, -2]], np.float32)
    integers, scales = symmetric_int8(kernel, channel_axis=0)
    assert (integers == [[0, 0], [64, -127]]).all()
    assert np.isfinite(scales).all()


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize(("module", "tolerance"), [(weights, 0.02), (int4, 0.15)])
def test_dense_layers_of_every_form_are_quantized_along_their_outputs(
    module, tolerance, transposed, bias
):
    generator = np.random.default_rng(0)
    # Channels of very different magnitudes: a wrong axis shows.
    kernel = generator.standard_normal((45, 12)) * np.logspace(-3, 1, 12)
    kernel = np.ascontiguousarray(kernel.T if transposed else kernel, dtype=np.float32)
    model = dense_model(kernel, transposed, bias)
    x = generator.standard_normal((200, 45)).astype(np.float32)
    expected = run(model, x)
    module.quantize(model, None)
    onnx.checker.check_model(model, full_check=True)
    error = np.sqrt(((run(model, x) - expected) ** 2).mean(axis=0))
    assert (error <= tolerance * expected.std(axis=0)).all()
    assert not any(layer.kernel.data_type == TensorProto.FLOAT for layer in layers(model.graph))


def test_int4_blocks_hold_two_weights_a_byte_and_keep_zeros():
    generator = np.random.default_rng(1)
    kernel = generator.standard_normal((70, 6)).astype(np.float32)
    kernel[::2] = 0
    packed, scales, zero_points = asymmetric_int4(kernel)
    # 70 inputs are three blocks of 32, the last one padded; three zero points are two bytes.
    assert packed.shape == (6, 3, 16)
    assert scales.shape == (6, 3)
    assert zero_points.shape == (6, 2)
    values = np.stack([packed & 15, packed >> 4], axis=-1).reshape(6, 3, 32).astype(int)
    points = np.stack([zero_points & 15, zero_points >> 4], axis=-1).reshape(6, 4)[:, :3, None]
    restored = ((values - points) * scales[..., None]).reshape(6, 96)[:, :70].T
    assert (restored[::2] == 0).all()
    steps = scales.repeat(32, axis=1)[:, :70].T
    # Half a step of rounding, and half a step where the zero point was rounded at an end.
    assert (np.abs(restored - kernel) <= 1.001 * steps).all()


def test_a_kernel_that_two_layers_share_is_stored_once():
    generator = np.random.default_rng(2)
    kernel = generator.standard_normal((32, 32)).astype(np.float32)
    model = dense_model(kernel)
    model.graph.node[0].output[0] = "middle"
    model.graph.node.append(helper.make_node("MatMul", ["middle", "kernel"], ["y"]))
    x = generator.standard_normal((3, 32)).astype(np.float32)
    expected = run(model, x)
    for module, tolerance in ((weights, 0.02), (int4, 0.2)):
        quantized = onnx.ModelProto()
        quantized.CopyFrom(model)
        module.quantize(quantized, None)
        assert sum(array.size for array in constants(quantized).values()) < 1.2 * kernel.size
        error = np.linalg.norm(run(quantized, x) - expected) / np.linalg.norm(expected)
        assert error <= tolerance


def test_int8_weights_in_a_loop_are_int8_too(graphs, tmp_path):
    path = tmp_path / "model.onnx"
    write(prepare(graphs("recurrent_net")), "int8-weights", path, None)
    kernels = [array for array in constants(onnx.load(path)).values() if array.dtype == np.int8]
    assert sorted(kernel.shape for kernel in kernels) == [(6, 64), (16, 64)]
    assert models.recurrent_net().count_params() > sum(kernel.size for kernel in kernels)
