"""Counting multiply-accumulates, against numbers worked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgekit.inspect import Graph, macs, read_graph

FLOAT = np.float32


def test_a_convolution_sums_over_its_kernel_for_each_output_element() -> None:
    # 3 x 3 over 8 channels to 16, as TFLite (channels first), ONNX (first) and TF (last) store it.
    output = (1, 10, 10, 16)
    for kernel, channels in (((16, 3, 3, 8), (0,)), ((3, 3, 8, 16), (3,))):
        assert macs.convolution(output, kernel, channels) == 1600 * 72


def test_a_size_that_is_not_known_leaves_no_count() -> None:
    assert macs.convolution((1, None, None, 16), (16, 3, 3, 8), (0,)) is None
    assert macs.convolution((1, 4), None, (0,)) is None
    assert macs.matmul((1, 4), (1, None)) is None
    assert macs.matmul((1, 4), None) is None
    assert macs.elements(None) is None
    assert macs.recurrent(None, [(1, 8, 2)]) is None
    assert macs.recurrent(5, [(1, 8, 2), None]) is None


def test_a_kernel_of_too_few_axes_leaves_no_count() -> None:
    assert macs.convolution((1, 4), (16,), (3,)) is None
    assert macs.matmul((4,), (4,), transposed=True) is None


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Graph]:
    """A net with one layer of each kind, in a format."""
    import keras
    from keras import layers

    from edgekit.cli import run_command_line

    keras.utils.set_random_seed(7)
    image = keras.Input((8, 8, 4), name="image")
    x = layers.Conv2DTranspose(6, 3, strides=2, padding="same")(image)
    x = layers.DepthwiseConv2D(3, depth_multiplier=2)(x)
    x = layers.Conv2D(8, 3, dilation_rate=2, activation="relu")(x)
    x = layers.Reshape((100, 8))(x)
    x = layers.Dense(5)(x)
    x = layers.Dot(axes=(2, 2))([x, x])
    x = layers.GlobalAveragePooling1D()(x)
    folder = tmp_path_factory.mktemp("zoo")
    keras.Model(image, layers.Dense(3, name="class")(x)).save(folder / "zoo.keras")
    words = ["convert", folder / "zoo.keras", "--recipe", "fp32", "-o", folder / "zoo.edgekit"]
    assert run_command_line([str(word) for word in words]) == 0

    def read(form: str) -> Graph:
        (path,) = (folder / "zoo.edgekit" / form).iterdir()
        return read_graph(path, form)

    return read


@pytest.mark.parametrize("form", ["tflite", "onnx", "tfjs"])
def test_each_kind_of_layer_counts_as_worked_out_by_hand(
    zoo: Callable[[str], Graph], form: str
) -> None:
    counts = [node.macs for node in zoo(form).nodes if node.macs]
    assert counts == [
        (8 * 8 * 4) * (3 * 3 * 6),  # transposed: each input element meets the kernel
        (14 * 14 * 12) * (3 * 3),  # depthwise, two outputs a channel
        (10 * 10 * 8) * (3 * 3 * 12),  # dilated: the gaps cost nothing
        (100 * 5) * 8,  # dense on each of 100 rows
        (100 * 100) * 5,  # one stack of matrices with another
        3 * 100,
    ]
    assert not zoo(form).uncounted


@pytest.mark.parametrize(
    ("op", "inputs", "output", "attributes", "count"),
    [
        # Two groups: 4 input channels each.
        ("Conv", [(1, 8, 6, 6), (16, 4, 3, 3)], (1, 16, 4, 4), {"group": 2}, 256 * 36),
        ("ConvTranspose", [(1, 4, 5, 5), (4, 6, 2, 2)], (1, 6, 6, 6), {}, 100 * 24),
        ("Gemm", [(7, 3), (7, 5)], (3, 5), {"transA": 1}, 15 * 7),
        ("Gemm", [(3, 7), (5, 7)], (3, 5), {"transB": 1}, 15 * 7),
        ("MatMul", [(2, 6, 3, 7), (2, 6, 7, 5)], (2, 6, 3, 5), {}, 180 * 7),
        ("Add", [(3, 4), (3, 4)], (3, 4), {}, 0),
    ],
)
def test_onnx_operators_count_as_worked_out_by_hand(
    tmp_path: Path,
    op: str,
    inputs: Sequence[tuple[int, ...]],
    output: tuple[int, ...],
    attributes: dict[str, int],
    count: int,
) -> None:
    (node,) = one_operator(tmp_path, op, inputs, [output], **attributes).nodes
    assert node.macs == count
    assert node.outputs[0].shape == output


@pytest.mark.parametrize(("op", "gates"), [("LSTM", 4), ("GRU", 3), ("RNN", 1)])
def test_a_recurrent_layer_multiplies_by_its_kernels_at_each_step(
    tmp_path: Path, op: str, gates: int
) -> None:
    steps, features, hidden = 10, 6, 16
    shapes = [(steps, 1, features), (1, gates * hidden, features), (1, gates * hidden, hidden)]
    graph = one_operator(tmp_path, op, shapes, [(steps, 1, 1, hidden)], hidden_size=hidden)
    assert graph.macs == steps * gates * hidden * (features + hidden)


@pytest.mark.parametrize(("level", "compute"), [(0, "int4-weights"), (4, "int4-dynamic")])
def test_four_bit_weights_are_expanded_unless_the_file_asks_for_integers(
    tmp_path: Path, level: int, compute: str
) -> None:
    sizes = {"K": 64, "N": 10, "bits": 4, "block_size": 32, "accuracy_level": level}
    shapes = [(1, 64), (10, 2, 16), (10, 2)]
    (node,) = one_operator(
        tmp_path, "MatMulNBits", shapes, [(1, 10)], domain="com.microsoft", **sizes
    ).nodes
    assert (node.compute, node.macs, node.params) == (compute, 640, 640)
    assert node.outputs[0].shape == (1, 10)


def test_an_unknown_operator_has_no_count(tmp_path: Path) -> None:
    shapes = [(1, 8), (8, 8)]
    graph = one_operator(tmp_path, "Whirl", shapes, [(1, 8)], domain="org.example")
    assert [node.op for node in graph.uncounted] == ["Whirl"]
    assert graph.macs == 0


def one_operator(
    folder: Path,
    op: str,
    inputs: Sequence[tuple[int, ...]],
    outputs: Sequence[tuple[int, ...]],
    domain: str = "",
    **attributes: Any,
) -> Graph:
    """Write an ONNX file of one operator and read it; all inputs but the first are constants."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    names = [f"input{number}" for number in range(len(inputs))]
    results = [f"output{number}" for number in range(len(outputs))]
    graph = helper.make_graph(
        [helper.make_node(op, names, results, domain=domain, **attributes)],
        "one",
        [helper.make_tensor_value_info(names[0], TensorProto.FLOAT, inputs[0])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, None if domain else shape)
            for name, shape in zip(results, outputs, strict=True)
        ],
        [
            numpy_helper.from_array(np.ones(shape, FLOAT), name)
            for name, shape in zip(names[1:], inputs[1:], strict=True)
        ],
    )
    opsets = [helper.make_opsetid("", 18), *([helper.make_opsetid(domain, 1)] if domain else [])]
    path = folder / "one.onnx"
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), path)
    return read_graph(path, "onnx")
