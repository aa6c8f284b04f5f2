"""Load TF.js models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_converters.graph.library import give_new_names
from edgekit_converters.sources.by_engine import EngineOriginal
from edgekit_converters.sources.keras.load import from_model
from edgekit_converters.sources.shapes import resolve_shapes
from edgekit_converters.sources.source import Source, SourceOptions
from edgekit_converters.sources.tfjs.files import main_file, read_json
from edgekit_converters.sources.tfjs.graph_model import read_graph_model
from edgekit_converters.sources.tfjs.layers_model import read_layers_model
from edgekit_converters.sources.tfjs.weights import read_weights
from edgekit_converters.sources.tracing import freeze_traced
from edgekit_runtimes.tensors import Arrays


def load(path: Path, options: SourceOptions) -> Source:
    """Load a model.json, or the folder that it is in.

    Raises UsageError where it is quantized, SourceError where it is damaged or TF.js cannot run it.
    """
    main = main_file(path)
    model = read_json(main)
    weights, notes = read_weights(main, model)
    if "node" in model["modelTopology"]:
        graph, said = _graph(main, model, weights, options)
    else:
        built = read_layers_model(main, model, weights, options)
        # What runs it in tf_keras is left: the original is TF.js.
        source = from_model(built, main, options)
        graph, said = source.frozen(), source.notes
    original = EngineOriginal(main, "tfjs", {})
    names = _names(original, graph)

    def run_many(samples: Sequence[Arrays]) -> Arrays:
        asked = [{names.get(key, key): array for key, array in one.items()} for one in samples]
        return _renamed(original.run_many(asked), names)

    def run(arrays: Mapping[str, object]) -> Arrays:
        return _renamed(original.run({names.get(key, key): x for key, x in arrays.items()}), names)

    return Source(path=main, graph=graph, run=run, notes=(*notes, *said), run_many=run_many)


def _graph(
    main: Path, model: Mapping[str, Any], weights: Arrays, options: SourceOptions
) -> tuple[FrozenGraph, tuple[str, ...]]:
    read = read_graph_model(main, model, weights)
    inputs = resolve_shapes(main, read.input_specs, options.input_shapes)
    places = {entry.spec.name: entry.tensor for entry in (*read.inputs, *read.outputs)}
    outputs = [entry.spec.name for entry in read.outputs]

    def call(tensors: Mapping[str, Any]) -> dict[str, Any]:
        copy = tf.compat.v1.GraphDef()
        copy.CopyFrom(read.graph_def)
        give_new_names(copy)
        fed = {places[key]: tensor for key, tensor in tensors.items()}
        wanted = [places[name] for name in outputs]
        made = tf.graph_util.import_graph_def(copy, fed, return_elements=wanted, name="")
        return dict(zip(outputs, made, strict=True))

    return freeze_traced(call, inputs, outputs, main)


def _names(original: EngineOriginal, graph: FrozenGraph) -> Mapping[str, str]:
    """Return TF.js's names of inputs and outputs by the graph's, where they are not the same.

    Of layers, both have them in the order of the configuration.
    """
    pairs = [
        *zip(graph.input_specs, original.inputs, strict=True),
        *zip(graph.output_specs, original.outputs, strict=True),
    ]
    known = {spec.name for spec in (*original.inputs, *original.outputs)}
    same = {spec.name for spec, _ in pairs} & known
    return {spec.name: told.name for spec, told in pairs if spec.name not in same}


def _renamed(found: Arrays, names: Mapping[str, str]) -> Arrays:
    back = {told: name for name, told in names.items()}
    return {back.get(name, name): array for name, array in found.items()}
