"""Read a written TF.js folder back and run it in TensorFlow: what was stored is what is judged."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from google.protobuf import json_format
from tensorflow.core.framework import types_pb2
from tfjs_expand import expand

from edgekit_converters.graph.edit import set_constant
from edgekit_converters.graph.frozen import FrozenGraph, GraphTensor
from edgekit_converters.graph.library import all_nodes
from edgekit_converters.tfjs.weights import decode, stored_size
from edgekit_runtimes.tensors import Array, Arrays, TensorSpec, cast_losslessly

Model = Callable[[Mapping[str, Array]], Arrays]


def load(folder: Path) -> Model:
    """Return a TF.js folder as a function of named inputs, computed by TensorFlow.

    Inputs are cast to the model's types where no value is lost (uint8 to int32), else DataError.
    """
    graph = read(folder)
    function = graph.function()

    def call(inputs: Mapping[str, Array]) -> Arrays:
        tensors = [
            tf.constant(cast_losslessly(inputs[spec.name], spec.dtype, spec.name))
            for spec in graph.input_specs
        ]
        return {
            spec.name: result.numpy()
            for spec, result in zip(graph.output_specs, function(*tensors), strict=True)
        }

    return call


def read(folder: Path) -> FrozenGraph:
    """Return the graph of a TF.js folder with its weights decoded and its fused ops expanded."""
    model = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    weights = _read_weights(folder, model["weightsManifest"])
    graph_def = json_format.ParseDict(model["modelTopology"], tf.compat.v1.GraphDef())
    for node in all_nodes(graph_def):
        if node.op == "Const":
            set_constant(node, weights[node.name])
    inputs, outputs = (
        tuple(_entry(name, info) for name, info in model["signature"][kind].items())
        for kind in ("inputs", "outputs")
    )
    return expand(FrozenGraph(graph_def, inputs, outputs))


def _read_weights(folder: Path, manifest: list[dict[str, Any]]) -> Arrays:
    weights: Arrays = {}
    for group in manifest:
        data = b"".join((folder / name).read_bytes() for name in group["paths"])
        start = 0
        for entry in group["weights"]:
            end = start + stored_size(entry)
            weights[entry["name"]] = decode(entry, data[start:end])
            start = end
        assert start == len(data)
    return weights


def _entry(name: str, info: Mapping[str, Any]) -> GraphTensor:
    sizes = [int(axis["size"]) for axis in info["tensorShape"].get("dim", ())]
    shape = tuple(None if size < 0 else size for size in sizes)
    dtype = tf.as_dtype(types_pb2.DataType.Value(info["dtype"])).name
    return GraphTensor(TensorSpec(name, shape, dtype), info["name"])
