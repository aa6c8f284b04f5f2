"""Read a written TF.js folder back and run it in TensorFlow: what was stored is what is judged."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from google.protobuf import json_format
from tensorflow.core.framework import types_pb2

from edgekit_converters.graph.edit import set_constant
from edgekit_converters.graph.frozen import FrozenGraph, GraphTensor
from edgekit_converters.graph.library import all_nodes
from edgekit_converters.tfjs.expand import expand
from edgekit_converters.tfjs.weights import decode, stored_size
from edgekit_converters.tfjs.write import FORMAT, MODEL_FILE
from edgekit_runtimes.errors import ArtifactError, DataError, map_exceptions
from edgekit_runtimes.tensors import Array, Arrays, TensorSpec, cast_losslessly

Model = Callable[[Mapping[str, Array]], Arrays]


def load(folder: Path) -> Model:
    """Return a TF.js folder as a function of named inputs, computed by TensorFlow.

    Inputs are cast to the model's types where no value is lost (uint8 to int32), else DataError.
    Raises ArtifactError where the folder is damaged.
    """
    graph = read(folder)
    with map_exceptions(f"{folder} holds a graph that does not run", ArtifactError):
        function = graph.function()

    def call(inputs: Mapping[str, Array]) -> Arrays:
        tensors = [tf.constant(_input(inputs, spec, folder)) for spec in graph.input_specs]
        with map_exceptions(f"{folder} does not run", ArtifactError):
            results = function(*tensors)
        return {
            spec.name: result.numpy()
            for spec, result in zip(graph.output_specs, results, strict=True)
        }

    return call


def read(folder: Path) -> FrozenGraph:
    """Return the graph of a TF.js folder with its weights decoded and its fused ops expanded.

    Raises ArtifactError where the folder is damaged.
    """
    path = folder / MODEL_FILE
    try:
        model = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ArtifactError(f"{folder} has no {MODEL_FILE}: it is not a TF.js model.") from error
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path} is damaged: {error}") from error
    if not isinstance(model, dict) or model.get("format") != FORMAT:
        raise ArtifactError(f"{path} is not a TF.js graph model ('format' is not '{FORMAT}').")
    with map_exceptions(f"{path} is damaged", ArtifactError):
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
        data = b"".join(_read_shard(folder, name) for name in group["paths"])
        wanted = sum(stored_size(entry) for entry in group["weights"])
        if len(data) != wanted:
            raise ArtifactError(
                f"{folder}: the weight files {', '.join(group['paths'])} hold {len(data)} bytes "
                f"and {MODEL_FILE} says {wanted}. Write the artifact again."
            )
        start = 0
        for entry in group["weights"]:
            end = start + stored_size(entry)
            weights[entry["name"]] = decode(entry, data[start:end])
            start = end
    return weights


def _read_shard(folder: Path, name: str) -> bytes:
    if Path(name).name != name:
        raise ArtifactError(f"{folder / MODEL_FILE} names a weight file elsewhere: '{name}'.")
    try:
        return (folder / name).read_bytes()
    except FileNotFoundError as error:
        raise ArtifactError(
            f"{folder} lacks the weight file {name}. Write the artifact again."
        ) from error


def _entry(name: str, info: Mapping[str, Any]) -> GraphTensor:
    sizes = [int(axis["size"]) for axis in info["tensorShape"].get("dim", ())]
    shape = tuple(None if size < 0 else size for size in sizes)
    dtype = tf.as_dtype(types_pb2.DataType.Value(info["dtype"])).name
    return GraphTensor(TensorSpec(name, shape, dtype), info["name"])


def _input(inputs: Mapping[str, Array], spec: TensorSpec, folder: Path) -> Array:
    if spec.name not in inputs:
        raise DataError(f"{folder} needs the input '{spec.name}'; given: {', '.join(inputs)}.")
    return cast_losslessly(inputs[spec.name], spec.dtype, spec.name)
