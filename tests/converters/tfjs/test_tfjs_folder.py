"""Folders written and read back: what is in them, and how large they are."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import tensorflow as tf
from tfjs_reader import load
from tfjs_tools import NODE, difference, noise, trace

from edgekit_converters.graph.frozen import CONTROL_FLOW_OPS
from edgekit_converters.tfjs.ops import writable_ops
from edgekit_converters.tfjs.write import DYNAMIC_OPS, LOOP_NOTE, SHARD_BYTES, prepare, write
from edgekit_runtimes.errors import DataError

# Relative to the largest output: float32, 11 bits, 8 bits for a whole tensor.
TOLERANCES = {"fp32": 1e-5, "fp16": 2e-3, "int8-weights": 2e-2}


def shard_bytes(folder):
    return sum(path.stat().st_size for path in folder.glob("*.bin"))


@pytest.fixture
def folder(graphs, tmp_path):
    write(prepare(graphs("conv_net")), "fp32", tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize("name", ["conv_net", "dense_net", "two_in_two_out", "recurrent_net"])
@pytest.mark.parametrize("quantization", TOLERANCES)
def test_a_folder_read_back_agrees_with_the_graph(graphs, tmp_path, name, quantization):
    graph = graphs(name)
    notes = write(prepare(graph), quantization, tmp_path)
    assert notes == ((LOOP_NOTE,) if name == "recurrent_net" else ())
    inputs = noise(graph)
    assert difference(load(tmp_path)(inputs), graph.run(inputs)) < TOLERANCES[quantization]


def test_a_result_whose_size_depends_on_values_needs_the_asynchronous_call(tmp_path):
    def model(boxes, scores):
        return {"kept": tf.image.non_max_suppression(boxes, scores, 5)}

    graph = trace(model, ["kept"], boxes=(8, 4), scores=(8,))
    (note,) = write(prepare(graph), "fp32", tmp_path)
    assert "(NonMaxSuppressionV3): run the model by model.executeAsync" in note


def test_the_ops_that_need_it_are_those_of_the_package():
    listing = NODE / "node_modules/@tensorflow/tfjs-converter/dist/operations/op_list/dynamic.js"
    assert set(re.findall(r"'tfOpName': '(\w+)'", listing.read_text())) == DYNAMIC_OPS


def test_what_the_loader_refuses_to_run_at_once_is_noted_or_not_written():
    loader = NODE / "node_modules/@tensorflow/tfjs-converter/dist/executor/model_analysis.js"
    sets = re.findall(r"const \w+_OPS = new Set\(\[(.*?)\]\)", loader.read_text(), re.DOTALL)
    refused = set(re.findall(r"'(\w+)'", "".join(sets)))
    assert len(sets) == 3
    assert refused & writable_ops() <= DYNAMIC_OPS | CONTROL_FLOW_OPS


def test_what_wasm_lacks_is_noted(tmp_path):
    graph = trace(
        lambda x, n: {"y": tf.abs(tf.signal.rfft(x)), "z": tf.matmul(n, n)},
        ["y", "z"],
        x=(8,),
        n=((2, 2), "int32"),
    )
    (note,) = write(prepare(graph), "fp32", tmp_path)
    assert note == (
        "the wasm back end of TF.js has no ComplexAbs, MatMul of integers, RFFT: run the model on "
        "webgl, webgpu or cpu"
    )


def test_attributes_come_in_the_order_of_their_names(folder):
    topology = json.loads((folder / "model.json").read_text())["modelTopology"]
    names = [[*node["attr"]] for node in topology["node"] if len(node.get("attr", ())) > 1]
    assert names
    assert names == [sorted(order) for order in names]


def test_fp16_is_half_and_int8_weights_a_quarter_of_fp32(graphs, tmp_path):
    prepared = prepare(graphs("dense_net"))
    sizes = {}
    for quantization in TOLERANCES:
        write(prepared, quantization, tmp_path / quantization)
        sizes[quantization] = shard_bytes(tmp_path / quantization)
    assert sizes["fp16"] / sizes["fp32"] == pytest.approx(0.5, abs=0.001)
    assert sizes["int8-weights"] / sizes["fp32"] == pytest.approx(0.25, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("quantization", "limit", "tolerance"),
    [("fp32", 13_950_000, 1e-5), ("fp16", 6_980_000, 0.01), ("int8-weights", 3_500_000, 0.1)],
)
def test_the_shards_of_mbv2_are_small_and_right(graphs, tmp_path, quantization, limit, tolerance):
    graph = graphs("mbv2")
    write(prepare(graph), quantization, tmp_path)
    assert 0.99 * limit < shard_bytes(tmp_path) <= limit
    inputs = noise(graph)
    assert difference(load(tmp_path)(inputs), graph.run(inputs)) < tolerance


def test_weights_beyond_one_shard_are_split_and_numbered(tmp_path):
    elements = SHARD_BYTES // 4 + 10
    kernel = tf.constant(np.linspace(-1, 1, 2 * elements, dtype=np.float32).reshape(elements, 2))
    graph = trace(lambda x: {"y": tf.gather(kernel, x)}, ["y"], x=((3,), "int32"))
    write(prepare(graph), "fp32", tmp_path)
    sizes = {path.name: path.stat().st_size for path in tmp_path.glob("*.bin")}
    assert sizes["group1-shard1of3.bin"] == sizes["group1-shard2of3.bin"] == SHARD_BYTES
    assert 0 < sizes["group1-shard3of3.bin"] < SHARD_BYTES
    inputs = {"x": np.array([0, 1, elements - 1], np.int32)}
    assert difference(load(tmp_path)(inputs), graph.run(inputs)) == 0


def test_the_manifest_says_what_the_loader_asks_for(folder):
    model = json.loads((folder / "model.json").read_text())
    assert model["format"] == "graph-model"
    assert model["convertedBy"].startswith("edgekit ")
    assert model["signature"]["inputs"]["image"] == {
        "name": "image:0",
        "dtype": "DT_FLOAT",
        "tensorShape": {"dim": [{"size": "-1"}, {"size": "28"}, {"size": "28"}, {"size": "1"}]},
    }
    assert list(model["signature"]["outputs"]) == ["digit"]
    assert model["modelTopology"]["versions"]["producer"] > 0
    names = {entry["name"] for entry in model["weightsManifest"][0]["weights"]}
    assert names == {
        node["name"] for node in model["modelTopology"]["node"] if node["op"] == "Const"
    }


def test_the_same_graph_is_written_as_the_same_bytes(graphs, tmp_path):
    for name in ("a", "b"):
        write(prepare(graphs("conv_net")), "int8-weights", tmp_path / name)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_integer_inputs_are_cast_where_no_value_is_lost(tmp_path):
    graph = trace(lambda x: {"y": tf.cast(x, tf.float32) / 2}, ["y"], x=((3,), "uint8"))
    write(prepare(graph), "fp32", tmp_path)
    model = load(tmp_path)
    assert model({"x": np.array([0, 1, 255], np.uint8)})["y"].tolist() == [0, 0.5, 127.5]
    with pytest.raises(DataError, match="'x' is float32 and the model takes int32"):
        model({"x": np.array([0.5, 1, 2], np.float32)})
