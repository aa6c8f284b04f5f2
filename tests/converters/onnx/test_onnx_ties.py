"""Sums that every kernel rounds alike, and scales that grow by no more than that takes."""

import models
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from edgekit_converters.calibration import Calibration
from edgekit_converters.onnx.static.ties import MARGIN, Grid, scale_off_ties
from edgekit_converters.onnx.write import prepare, write

LEVELS = np.arange(256)


def off_ties(first, second, output):
    """Return how far the sum nearest to a tie is from it, in steps of the output."""
    places = np.add.outer(first.scale * first.levels, second.scale * second.levels) / output.scale
    inside = places[(places > output.levels[0] - 1) & (places < output.levels[-1] + 1)]
    return np.abs(inside % 1 - 0.5).min()


def grids(seed):
    """Return three random grids; the output holds most sums but not all."""
    generator = np.random.default_rng(seed)
    scales = generator.uniform(0.005, 0.1, 2)
    scales = np.append(scales, scales.max() * generator.uniform(1, 2)).astype(np.float32)
    zero_points = generator.integers(0, 256, 3)
    return [Grid(float(s), LEVELS - z) for s, z in zip(scales, zero_points, strict=True)]


@pytest.mark.parametrize("seed", range(20))
def test_a_scale_off_ties_is_at_most_a_fortieth_larger(seed):
    first, second, output = grids(seed)
    scale = scale_off_ties(first, second, output)
    assert output.scale <= scale <= 1.025 * output.scale
    assert off_ties(first, second, Grid(float(scale), output.levels)) > MARGIN


def test_two_equal_scales_and_twice_that_scale_are_taken_apart_without_a_bias():
    relu6 = Grid(6 / 255, LEVELS)
    twice = Grid(12 / 255, LEVELS)
    assert off_ties(relu6, relu6, twice) == 0
    scale = float(scale_off_ties(relu6, relu6, twice))
    assert off_ties(relu6, relu6, Grid(scale, LEVELS)) > MARGIN
    places = np.add.outer(LEVELS, LEVELS) * relu6.scale / scale
    assert abs((np.rint(places) - places).mean()) < 0.02


def test_a_scale_that_is_off_ties_already_stays():
    third = Grid(0.03, LEVELS)
    thrice = Grid(0.045, LEVELS)
    assert off_ties(third, third, thrice) == pytest.approx(1 / 6)
    assert scale_off_ties(third, third, thrice) == np.float32(0.045)


@pytest.fixture(scope="module")
def artifact(graphs, tmp_path_factory):
    """Return conv_net, which has an addition and a global mean, as int8."""
    samples = models.random_inputs(models.conv_net(), 8)["image"]
    path = tmp_path_factory.mktemp("artifact") / "int8.onnx"
    calibration = Calibration(lambda: ({"image": sample[None]} for sample in samples))
    write(prepare(graphs("conv_net")), "int8", path, calibration)
    return path


def test_the_additions_of_an_artifact_are_off_ties(artifact):
    graph = onnx.load(artifact).graph
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    makers = {node.output[0]: node for node in graph.node}
    takers = {node.input[0]: node for node in graph.node if node.op_type == "QuantizeLinear"}

    def grid(node):
        scale, zero_point = (tensors[name] for name in node.input[1:3])
        return Grid(float(scale), LEVELS - int(zero_point))

    (addition,) = [node for node in graph.node if node.op_type == "Add"]
    inputs = [grid(makers[name]) for name in addition.input]
    assert off_ties(*inputs, grid(takers[addition.output[0]])) > MARGIN


def test_onnxruntime_computes_all_layers_of_the_artifact_with_integers(artifact, tmp_path):
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(artifact, options, providers=["CPUExecutionProvider"])
    kinds = {node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node}
    assert {"QLinearConv", "QLinearAdd", "QLinearGlobalAveragePool"} <= kinds
    assert not kinds & {"Conv", "Add", "GlobalAveragePool", "ReduceMean", "DequantizeLinear"}
