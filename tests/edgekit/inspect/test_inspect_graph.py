"""What `inspect` reads out of real artifacts: nodes, parameters, and how each one computes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgekit.forms import to_form
from edgekit.inspect import Graph, Quantization, read_graph
from edgekit_converters.formats import format_writer

Bundles = Callable[..., Path]

RECIPES = "fp32,fp16,int8-weights,int8-dynamic,int8,int16x8,int4-dynamic,fp32+prune50"
# Multiply-accumulates of conv_net, layer by layer: 3 x 3 over 14 x 14 x 16, the same depthwise,
# 1 x 1 from 16 to 16, 3 x 3 from 16 to 32, and 32 to 10 at the end.
STEM = DEPTHWISE = 14 * 14 * 16 * 9
POINTWISE, CONV, DENSE = 14 * 14 * 16 * 16, 14 * 14 * 32 * 9 * 16, 32 * 10
CONV_NET = STEM + DEPTHWISE + POINTWISE + CONV + DENSE
# Kernels and biases once batch norms are folded; the last bias is zero, so converters drop it.
CONV_NET_KERNELS = 9 * 16 + 9 * 16 + 16 * 16 + 9 * 16 * 32 + 32 * 10
# Constants that layers share count once, and some formats share equal ones.
MOST_BIASES = 3 * 16 + 32


@pytest.fixture(scope="module")
def graph(bundles: Bundles) -> Callable[[str], Graph]:
    """Read an artifact of conv_net by its id; every recipe is there."""
    bundle = bundles("conv_net", "--recipe", RECIPES)

    def read(name: str) -> Graph:
        form = name.split("/")[0]
        suffix = "" if form == "tfjs" else f".{form}"
        return read_graph(bundle / f"{name}{suffix}", form)

    return read


@pytest.mark.parametrize("form", ["tflite", "onnx", "tfjs"])
def test_all_formats_agree_on_the_work_and_the_weights_of_a_model(
    graph: Callable[[str], Graph], form: str
) -> None:
    found = graph(f"{form}/fp32")
    assert found.macs == CONV_NET
    assert (found.uncounted, found.float_islands) == ((), ())
    assert {node.compute for node in found.nodes} == {"fp32"}
    assert CONV_NET_KERNELS < found.params <= CONV_NET_KERNELS + MOST_BIASES
    assert 4 * found.params <= found.bytes < 4 * found.params + 100


# Each artifact: multiply-accumulates by how they are computed.
@pytest.mark.parametrize(
    ("name", "macs"),
    [
        ("tflite/fp16", {"fp16-weights": CONV_NET}),
        ("tflite/int8-weights", {"int8-weights": CONV_NET}),
        ("tflite/int8-dynamic", {"int8-dynamic": CONV_NET}),
        ("tflite/int8", {"int8": CONV_NET}),
        ("tflite/int16x8", {"int16x8": CONV_NET}),
        ("tflite/int4-dynamic", {"int4-dynamic": CONV_NET - DEPTHWISE, "fp32": DEPTHWISE}),
        ("tflite/fp32+prune50", {"fp32": CONV_NET}),
        ("onnx/fp16", {"fp16": CONV_NET}),
        # Kernels under 256 elements stay float.
        (
            "onnx/int8-weights",
            {"int8-weights": CONV_NET - STEM - DEPTHWISE, "fp32": STEM + DEPTHWISE},
        ),
        ("onnx/int8-dynamic", {"fp32": CONV_NET - DENSE, "int8-dynamic": DENSE}),
        ("onnx/int8", {"int8": CONV_NET}),
        ("onnx/int4-dynamic", {"fp32": CONV_NET - DENSE, "int4-dynamic": DENSE}),
        ("onnx/fp32+prune50", {"fp32": CONV_NET}),
        ("tfjs/fp16", {"fp16-weights": CONV_NET}),
        # Kernels under 900 elements are stored as float16, up to a tenth of all values.
        (
            "tfjs/int8-weights",
            {"int8-weights": CONV + DENSE, "fp16-weights": CONV_NET - CONV - DENSE},
        ),
        ("tfjs/fp32+prune50", {"fp32": CONV_NET}),
    ],
)
def test_each_recipe_computes_as_its_name_says(
    graph: Callable[[str], Graph], name: str, macs: dict[str, int]
) -> None:
    assert graph(name).macs_by_compute == macs


@pytest.mark.parametrize(
    ("name", "bytes_a_weight"),
    [
        ("tflite/fp16", 2.0),
        ("onnx/fp16", 2.0),
        ("tfjs/fp16", 2.0),
        ("tflite/int8", 1.0),
        ("tflite/int8-weights", 1.0),
        ("onnx/int8", 1.15),  # scales and zero points as well
        ("tflite/int4-dynamic", 0.6),  # the depthwise kernel stays float
    ],
)
def test_constants_take_what_their_storage_says(
    graph: Callable[[str], Graph], name: str, bytes_a_weight: float
) -> None:
    found = graph(name)
    assert found.bytes / found.params == pytest.approx(bytes_a_weight, rel=0.06)


def test_a_layer_has_its_weights_bytes_and_shapes(graph: Callable[[str], Graph]) -> None:
    layer = max(graph("tflite/int8-weights").nodes, key=lambda node: node.bytes)
    assert (layer.op, layer.compute, layer.macs) == ("CONV_2D", "int8-weights", CONV)
    assert layer.params == 9 * 16 * 32 + 32
    # The kernel's bytes, which a DEQUANTIZE reads, and the bias in float.
    assert layer.bytes == 9 * 16 * 32 + 4 * 32
    assert layer.outputs[0].shape == (1, 14, 14, 32)


def test_the_scales_of_an_integer_tensor_are_told(graph: Callable[[str], Graph]) -> None:
    layer = max(graph("tflite/int8").nodes, key=lambda node: node.bytes)
    data, kernel, _ = layer.inputs
    assert data.quantization is not None
    assert data.quantization.scales == 1
    assert data.quantization.scale is not None
    assert data.quantization.scale > 0
    assert kernel.quantization == Quantization(scales=32, axis=0)
    assert (kernel.dtype, kernel.is_constant, data.is_constant) == ("int8", True, False)


def test_a_float_node_in_an_int8_file_is_an_island(bundles: Bundles) -> None:
    bundle = bundles("dense_net", "--recipe", "fp32,int8", "--io", "int8")
    (island,) = read_graph(bundle / "onnx" / "int8.onnx", "onnx").float_islands
    assert [node.op for node in island] == ["Softmax"]
    assert read_graph(bundle / "tflite" / "int8.tflite", "tflite").float_islands == ()


@pytest.mark.parametrize("form", ["tflite", "onnx", "tfjs"])
def test_the_body_of_a_loop_has_weights_and_no_count(bundles: Bundles, form: str) -> None:
    bundle = bundles("recurrent_net", "--recipe", "fp32")
    (path,) = (bundle / form).iterdir()
    found = read_graph(path, form)
    assert found.params >= 4 * 16 * (6 + 16)
    loop = next(node for node in found.uncounted if not node.in_body)
    assert loop.op in ("WHILE", "Loop", "StatelessWhile")
    assert any(node.in_body for node in found.uncounted)


def test_the_json_form_holds_every_node_and_the_sums(graph: Callable[[str], Graph]) -> None:
    found = graph("onnx/int8")
    form = to_form(found.to_json())
    for sum_of in ("params", "bytes", "macs"):
        assert form[sum_of] == sum(node[sum_of] for node in form["nodes"]), sum_of
    assert form["ops"]["Conv"] == 4
    assert sum(form["ops"].values()) == sum(form["nodes_by_compute"].values()) == len(form["nodes"])
    assert [node["index"] for node in form["nodes"]] == list(range(len(form["nodes"])))


@pytest.mark.slow
@pytest.mark.parametrize("form", ["tflite", "onnx", "tfjs"])
def test_mobilenet_v2_has_300_million_multiply_accumulates_in_every_format(
    graphs: Callable[[str], Any], tmp_path: Path, form: str
) -> None:
    writer = format_writer(form)
    path = tmp_path / f"mbv2.{form}"
    writer.write(writer.prepare(graphs("mbv2")), "int8-weights", path, None, "float", "low")
    found = read_graph(path, form)
    # The paper says "300 M"; layer by layer it is this.
    assert found.macs == 300_774_272
    # Keras counts 3,538,984, of which 4 x 17,056 are batch norms', each folded into one bias a
    # channel, and 1,000 are the last bias, which is zero.
    assert found.params == 3_538_984 - 3 * 17_056 - 1_000
