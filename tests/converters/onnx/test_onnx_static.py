"""Static int8: ranges from a stream of samples, scales a channel, accuracy."""

import tracemalloc

import keras
import models
import numpy as np
import onnx
import onnxruntime
import pytest
from models import freeze_model
from onnx import numpy_helper

from edgekit_converters.calibration import Calibration
from edgekit_converters.onnx.static.quantize import check_finite, measure_ranges
from edgekit_converters.onnx.write import prepare, write
from edgekit_runtimes.errors import ConversionError

BARS = 10
# Int8 may cost one point of accuracy.
MAX_DEGRADATION = 0.01


def bars(count, seed):
    """Return images of noisy bars and which of ten directions each one has."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, BARS, count)
    angles = labels * np.pi / BARS + generator.normal(0, 0.06, count)
    sines, cosines = np.sin(angles)[:, None, None], np.cos(angles)[:, None, None]
    centres = generator.uniform(9, 18, (2, count, 1, 1))
    y, x = np.mgrid[:28, :28]
    across = (x - centres[0]) * sines - (y - centres[1]) * cosines
    images = 255 * np.exp(-((across / 2) ** 2)) + generator.normal(0, 20, (count, 28, 28))
    return images[..., None].clip(0, 255).astype(np.float32), labels


@pytest.fixture(scope="module")
def trained():
    """Return the frozen graph of conv_net, trained on bars."""
    model = models.conv_net()
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            # The default of .99 needs more steps than these few.
            layer.momentum = 0.8
    images, labels = bars(2000, seed=1)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-2), loss)
    model.fit(images, labels, epochs=3, verbose=0)
    return freeze_model(model)


def calibration_of(name, arrays):
    return Calibration(lambda: ({name: array[None]} for array in arrays))


def test_int8_of_a_trained_net_stays_within_a_point_of_accuracy(trained, tmp_path):
    images, _ = bars(64, seed=2)
    path = tmp_path / "int8.onnx"
    write(prepare(trained), "int8", path, calibration_of("image", images))
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    images, labels = bars(1000, seed=3)
    original = (trained.run({"image": images})["digit"].argmax(1) == labels).mean()
    quantized = (session.run(None, {"image": images})[0].argmax(1) == labels).mean()
    assert original >= 0.9
    assert quantized >= original - MAX_DEGRADATION


def test_kernels_have_a_scale_a_channel_and_activations_are_uint8(trained, tmp_path):
    path = tmp_path / "int8.onnx"
    write(prepare(trained), "int8", path, calibration_of("image", bars(4, seed=2)[0]))
    model = onnx.load(path)
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    kernels = {}
    for node in model.graph.node:
        if node.op_type == "QuantizeLinear":
            assert tensors[node.input[2]].dtype == np.uint8
        elif node.op_type == "DequantizeLinear" and node.input[0] in tensors:
            kernel, scales = tensors[node.input[0]], tensors[node.input[1]]
            if kernel.dtype == np.int8:
                kernels[kernel.shape] = len(np.unique(scales))
    depthwise = (16, 1, 3, 3)
    assert depthwise in kernels
    assert kernels == {shape: shape[1 if len(shape) == 2 else 0] for shape in kernels}


@pytest.mark.parametrize("quantization", ["int8", "int8-dynamic"])
def test_two_products_of_weights_fit_into_16_bits_on_every_cpu(graphs, tmp_path, quantization):
    path = tmp_path / "small.onnx"
    samples = models.random_inputs(models.dense_net(), 8)["features"]
    write(prepare(graphs("dense_net")), quantization, path, calibration_of("features", samples))
    tensors = map(numpy_helper.to_array, onnx.load(path).graph.initializer)
    kernels = [tensor for tensor in tensors if tensor.dtype == np.int8 and tensor.ndim == 2]
    largest = max(int(np.abs(kernel.astype(np.int32)).max()) for kernel in kernels)
    assert largest >= 60
    assert 2 * 255 * largest <= np.iinfo(np.int16).max


def test_ranges_are_those_of_all_samples(graphs):
    samples = models.random_inputs(models.dense_net(), 20)["features"]
    ranges = measure_ranges(prepare(graphs("dense_net")), calibration_of("features", samples))
    outputs = graphs("dense_net").run({"features": samples})["class"]
    assert ranges["features"] == (samples.min(), samples.max())
    np.testing.assert_allclose(ranges["class"], (outputs.min(), outputs.max()), rtol=1e-4)


def test_memory_does_not_grow_with_the_number_of_samples(graphs):
    model = prepare(graphs("conv_net"))

    def peak(count):
        generator = np.random.default_rng(0)
        tracemalloc.start()
        measure_ranges(
            model,
            Calibration(
                lambda: (
                    {"image": generator.random((1, 28, 28, 1), np.float32)} for _ in range(count)
                )
            ),
        )
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(1)
    one_sample = 28 * 28 * 4
    assert peak(300) <= peak(10) + 10 * one_sample


def test_samples_that_are_not_finite_are_refused_with_the_tensor(graphs):
    samples = np.full((1, 64), np.nan, np.float32)
    ranges = measure_ranges(prepare(graphs("dense_net")), calibration_of("features", samples))
    with pytest.raises(ConversionError, match="tensor 'features' the range nan to nan"):
        check_finite(ranges)


def test_results_beyond_those_of_the_calibration_are_not_cut_off(graphs, tmp_path):
    graph = graphs("two_in_two_out")
    inputs = models.random_inputs(models.two_in_two_out(), 64)
    expected = np.abs(graph.run(inputs)["age"][:, 0])
    calm = expected.argsort()[:32]
    calibration = Calibration(
        lambda: ({name: array[i : i + 1] for name, array in inputs.items()} for i in calm)
    )
    path = tmp_path / "int8.onnx"
    write(prepare(graph), "int8", path, calibration)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    outputs = np.abs(session.run(["age"], inputs)[0][:, 0])
    assert expected.max() > 2 * expected[calm].max()
    assert outputs.max() > 1.5 * expected[calm].max()


def test_the_softmax_behind_the_last_layer_is_float_and_the_layer_integer(graphs, tmp_path):
    samples = models.random_inputs(models.dense_net(), 8)["features"]
    path = tmp_path / "int8.onnx"
    write(prepare(graphs("dense_net")), "int8", path, calibration_of("features", samples))
    assert [node.op_type for node in onnx.load(path).graph.node][-2:] == ["MatMul", "Softmax"]
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    optimized = [node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node]
    assert "MatMulIntegerToFloat" in optimized
    assert "MatMul" not in optimized


def test_a_convolution_at_the_end_stays_an_integer_one(tmp_path):
    keras.utils.set_random_seed(10)
    image = keras.Input((8, 8, 3), name="image")
    x = keras.layers.Conv2D(8, 3, activation="relu")(image)
    model = keras.Model(image, keras.layers.Conv2D(2, 1, activation="sigmoid", name="map")(x))
    samples = models.random_inputs(model, 8)["image"]
    path = tmp_path / "int8.onnx"
    write(prepare(freeze_model(model)), "int8", path, calibration_of("image", samples))
    nodes = [node.op_type for node in onnx.load(path).graph.node]
    assert nodes.count("QuantizeLinear") >= 4
    assert nodes[-1] in ("DequantizeLinear", "Transpose")


def test_a_kernel_of_many_matrices_is_quantized_as_onnxruntime_runs_it(tmp_path):
    keras.utils.set_random_seed(3)
    x = keras.Input((12, 4), name="x")
    y = keras.layers.EinsumDense("abc,bcd->abd", output_shape=(12, 5))(x)
    graph = freeze_model(keras.Model(x, y))
    samples = np.random.default_rng(3).normal(size=(24, 12, 4)).astype(np.float32)
    write(prepare(graph), "int8", tmp_path / "int8.onnx", calibration_of("x", samples))
    session = onnxruntime.InferenceSession(tmp_path / "int8.onnx")
    (expected,) = graph.run({"x": samples}).values()
    (made,) = session.run(None, {"x": samples})
    assert np.square(made - expected).mean() < 1e-3 * np.square(expected).mean()
