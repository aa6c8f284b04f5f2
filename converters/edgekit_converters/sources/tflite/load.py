"""Load TFLite files."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from edgekit_converters.sources.by_engine import EngineOriginal
from edgekit_converters.sources.shapes import resolve_shapes
from edgekit_converters.sources.source import LateGraph, OwnModel, Source, SourceOptions
from edgekit_converters.sources.tflite.file import GivenFile
from edgekit_runtimes.tensors import TensorSpec

if TYPE_CHECKING:
    from edgekit_converters.graph.frozen import FrozenGraph

OWN_NOTE = "made from the file itself"


def load(path: Path, options: SourceOptions) -> Source:
    """Load a float TFLite file.

    Raises UsageError where it is quantized, SourceError where it is damaged or LiteRT cannot run
    it.
    """
    given = GivenFile(path, options.signature)
    original = EngineOriginal(path, "tflite", {"signature": options.signature})
    inputs = resolve_shapes(path, original.inputs, options.input_shapes)
    outputs = original.outputs
    make = partial(_frozen, given, inputs)
    return Source(
        path=path,
        graph=LateGraph(inputs, outputs, make),
        run=original.run,
        notes=given.notes,
        own={"tflite": OwnModel(lambda: given.content, OWN_NOTE)},
        run_many=original.run_many,
    )


def _frozen(given: GivenFile, inputs: tuple[TensorSpec, ...]) -> FrozenGraph:
    # Only other formats, and what is modified, need TensorFlow and tf2onnx.
    from edgekit_converters.sources.tflite.to_onnx import frozen_graph

    return frozen_graph(given, inputs)
