"""Load ONNX files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_converters.sources.by_engine import EngineOriginal
from edgekit_converters.sources.onnx.importing import ImportOptions, import_model
from edgekit_converters.sources.onnx.own import is_quantized, kept_operators, own_model
from edgekit_converters.sources.onnx.read import read
from edgekit_converters.sources.quantized import refusal
from edgekit_converters.sources.shapes import resolve_shapes
from edgekit_converters.sources.source import LateGraph, OwnModel, Source, SourceOptions
from edgekit_runtimes.engines import onnxruntime
from edgekit_runtimes.errors import NotAvailableError, SourceError, UsageError
from edgekit_runtimes.tensors import Array, Arrays, TensorSpec

# What the importer says where onnxruntime itself takes no such model.
REFUSED_BY_ENGINE = re.compile("onnxruntime .* does not (read|take)")
OWN_NOTE = "made from the file itself"
KEPT_NOTE = "made from the file itself, for its {ops}"


def load(path: Path, options: SourceOptions) -> Source:
    """Load an ONNX file. The original is onnxruntime on the file itself.

    Where it cannot be taken over, there is no frozen graph: ONNX artifacts alone can be made, from
    the file itself. Raises UsageError where it is quantized, SourceError where it cannot be read.
    """
    model = read(path)
    if is_quantized(model):
        raise UsageError(refusal(path))
    given = ImportOptions(
        fixed=options.fixed, layout=options.layout, input_shapes=options.input_shapes, path=path
    )
    try:
        imported = import_model(model, given)
    except SourceError as error:
        return _without_graph(path, model, options, str(error))
    own = {}
    # What the file itself makes keeps its order.
    keeps_order = not imported.axes or options.layout != "nhwc"
    if keeps_order and (kept := kept_operators(model)):
        inputs = tuple(_in_file(spec, imported.axes) for spec in imported.graph.input_specs)
        note = KEPT_NOTE.format(ops=kept)
        make = partial(own_model, model, inputs, options.fixed, path)
        own["onnx"] = OwnModel(make, note)
    return Source(
        path=path,
        graph=imported.graph,
        run=_original(path, options.fixed, imported.axes),
        notes=imported.notes,
        axes=imported.axes,
        own=own,
    )


def _without_graph(path: Path, model: Any, options: SourceOptions, reason: str) -> Source:
    try:
        original = EngineOriginal(path, "onnx", {"fixed": options.fixed})
    except SourceError:
        if REFUSED_BY_ENGINE.match(reason):
            # It says what onnxruntime's own words do not: what to do.
            raise SourceError(reason) from None
        raise
    inputs = resolve_shapes(path, original.inputs, options.input_shapes)

    def give_up() -> FrozenGraph:
        raise NotAvailableError(reason)

    make = partial(own_model, model, inputs, options.fixed, path)
    return Source(
        path=path,
        graph=LateGraph(inputs, original.outputs, give_up),
        run=original.run,
        own={"onnx": OwnModel(make, OWN_NOTE)},
        run_many=original.run_many,
    )


def _in_file(spec: TensorSpec, axes: Mapping[str, tuple[int, ...]]) -> TensorSpec:
    """Return an input of the graph as the file has it."""
    order = axes.get(spec.name)
    return spec if order is None else replace(spec, shape=tuple(spec.shape[k] for k in order))


def _original(path: Path, fixed: Mapping[str, Any], axes: Mapping[str, tuple[int, ...]]) -> Any:
    """Return what runs the file on arrays in the graph's order, and answers in it.

    The session is made at the first call: a bundle that is continued needs none.
    """
    made: list[Any] = []

    def run(arrays: Mapping[str, object]) -> Arrays:
        if not made:
            made.append(onnxruntime.load(path, {"fixed": fixed}))
        given = {name: _turned(np.asarray(x), axes.get(name)) for name, x in arrays.items()}
        found = made[0].run(given)
        return {
            name: _turned(x, tuple(np.argsort(axes[name])) if name in axes else None)
            for name, x in found.items()
        }

    return run


def _turned(array: Array, axes: tuple[int, ...] | None) -> Array:
    return array if axes is None else np.asarray(array.transpose(axes), order="C")
