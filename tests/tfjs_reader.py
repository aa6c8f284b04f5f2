"""Read a written TF.js folder back and run it in TensorFlow: what was stored is what is judged."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_converters.sources.tfjs.graph_model import read_graph_model
from edgekit_converters.tfjs.weights import decode, stored_size
from edgekit_runtimes.tensors import Array, Arrays, cast_losslessly

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
    """Return the graph of a TF.js folder with its weights decoded, integers too."""
    main = folder / "model.json"
    model = json.loads(main.read_text(encoding="utf-8"))
    return read_graph_model(main, model, _read_weights(folder, model["weightsManifest"]))


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
