"""Load TF.js models."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from edgekit_converters.graph.library import give_new_names
from edgekit_converters.sources.by_engine import EngineOriginal
from edgekit_converters.sources.shapes import resolve_shapes
from edgekit_converters.sources.source import Source, SourceOptions
from edgekit_converters.sources.tfjs.files import main_file, read_json
from edgekit_converters.sources.tfjs.graph_model import read_graph_model
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
    return _graph_source(main, model, weights, options, notes)


def _graph_source(
    main: Path,
    model: Mapping[str, Any],
    weights: Arrays,
    options: SourceOptions,
    notes: tuple[str, ...],
) -> Source:
    read = read_graph_model(main, model, weights)
    original = EngineOriginal(main, "tfjs", {})
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

    graph, said = freeze_traced(call, inputs, outputs, main)
    return Source(
        path=main,
        graph=graph,
        run=original.run,
        notes=(*notes, *said),
        run_many=original.run_many,
    )
