"""An ONNX model becomes a frozen graph.

imported = import_model(onnx.load("model.onnx"))
imported.graph    what every format is written from, images channels last
imported.axes     how that differs from the model
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import onnx
from onnx import numpy_helper

from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_converters.graph.normalize import normalize
from edgekit_converters.sources.onnx.build import Built, axes_of, build, check_operators
from edgekit_converters.sources.onnx.facts import ask
from edgekit_converters.sources.onnx.node import numpy_dtype
from edgekit_converters.sources.onnx.prove import prove
from edgekit_converters.sources.onnx.quantized import refuse_quantized
from edgekit_converters.sources.onnx.read import check_opset
from edgekit_converters.sources.onnx.reference import (
    FREE_BATCH,
    Reference,
    refer,
    refer_as,
    samples_of,
    with_batch,
)
from edgekit_converters.sources.onnx.value import HIGH, LOW
from edgekit_converters.sources.shapes import resolve_shapes
from edgekit_converters.sources.tracing import BATCH_ONE_NOTE, has_control_flow
from edgekit_runtimes.engines.onnxruntime import fixed_array
from edgekit_runtimes.errors import EngineError, SourceError, UsageError, first_line, map_exceptions
from edgekit_runtimes.tensors import TensorSpec

Layout = Literal["auto", "nchw", "nhwc"]

SAME_SIZE_NOTE = "the batch is fixed to 1, since it is not the first axis of every input"
LAYOUT_NOTE = (
    "channels last in TFLite and TF.js, which compute so: {names} (--layout nchw keeps the "
    "model's order)"
)


@dataclass(frozen=True)
class ImportOptions:
    """How a model should be imported.

    fixed: inputs that become constants. layout: "auto" and "nhwc" make images channels last,
    "nchw" keeps the model's order. input_shapes: whole shapes of inputs whose sizes are open.
    path: what messages call the model.
    """

    fixed: Mapping[str, object] = field(default_factory=dict)
    layout: Layout = "auto"
    input_shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    path: Path = Path("the model")


@dataclass(frozen=True)
class Imported:
    """An imported model.

    axes: for inputs and outputs whose order differs: axis k of the model's tensor is axis
    `axes[name][k]` of the graph's. notes: what the user should know.
    """

    graph: FrozenGraph
    axes: Mapping[str, tuple[int, ...]]
    notes: tuple[str, ...] = ()


def import_model(model: Any, options: ImportOptions | None = None) -> Imported:
    """Return the frozen graph of an ONNX model, once it is proven to answer as the model does.

    The model is not changed. Raises UsageError where options do not fit its inputs, SourceError
    where it cannot be taken over, or the graph answers otherwise than onnxruntime.
    """
    options = options or ImportOptions()
    path = options.path
    check_opset(model, str(path))
    refuse_quantized(model, path)
    own = onnx.ModelProto()
    own.CopyFrom(model)
    fix_inputs(own, options.fixed, path)
    inputs, notes = _inputs(own, options)
    with map_exceptions(f"{path} cannot be imported", SourceError):
        reference, built = _build(own, inputs, options)
        graph = normalize(built.graph)
        prove(graph, built, reference)
    axes = axes_of(built.orders)
    if options.layout == "auto":
        graph = _with_source_axes(graph, axes)
    if axes:
        notes = (*notes, LAYOUT_NOTE.format(names=", ".join(sorted(axes))))
    return Imported(graph, axes, (*notes, *reference.notes))


def _build(
    model: Any, inputs: tuple[TensorSpec, ...], options: ImportOptions
) -> tuple[Reference, Built]:
    """Return what a model answers, and its graph: with batch 1 where that has a loop."""
    reference = refer(model, inputs)
    built = _built(reference, options)
    if reference.is_free and has_control_flow(built.graph.graph_def):
        fixed = with_batch(reference.inputs, 1)
        reference = replace(refer_as(model, fixed), notes=(BATCH_ONE_NOTE,))
        built = _built(reference, options)
    return reference, built


def _built(reference: Reference, options: ImportOptions) -> Built:
    check_operators(reference.simple.graph)
    batches = (LOW, HIGH) if reference.is_free else (None,)
    facts = ask(reference.simple, samples_of(reference.inputs, batches), FREE_BATCH)
    return build(reference.simple, facts, reference.inputs, options.layout == "nchw")


def _with_source_axes(graph: FrozenGraph, axes: Mapping[str, tuple[int, ...]]) -> FrozenGraph:
    """Return the graph, which says where ONNX artifacts keep the model's own order."""
    inputs, outputs = (
        tuple(replace(entry, source_axes=axes.get(entry.spec.name)) for entry in entries)
        for entries in (graph.inputs, graph.outputs)
    )
    return replace(graph, inputs=inputs, outputs=outputs)


def fix_inputs(model: Any, fixed: Mapping[str, object], path: Path) -> None:
    """Make constants of inputs. Raises UsageError where a value does not fit."""
    entries = {entry.name: entry for entry in model.graph.input}
    for name, value in fixed.items():
        if name not in entries:
            raise UsageError(
                f"--set names '{name}', which is not an input of {path}. Its inputs: "
                f"{', '.join(entries)}."
            )
        try:
            array = fixed_array(spec_of(entries[name]), value)
        except (ValueError, EngineError) as error:
            raise UsageError(f"--set {name} does not fit {path}: {first_line(error)}.") from error
        model.graph.input.remove(entries[name])
        kept = [tensor for tensor in model.graph.initializer if tensor.name != name]
        if len(kept) < len(model.graph.initializer):
            del model.graph.initializer[:]
            model.graph.initializer.extend(kept)
        model.graph.initializer.append(numpy_helper.from_array(array, name))


def _inputs(model: Any, options: ImportOptions) -> tuple[tuple[TensorSpec, ...], tuple[str, ...]]:
    """Return the inputs that are fed, with the sizes that the user gave."""
    constants = {tensor.name for tensor in model.graph.initializer}
    entries = [entry for entry in model.graph.input if entry.name not in constants]
    for entry in entries:
        if entry.type.WhichOneof("value") != "tensor_type":
            raise SourceError(
                f"Input '{entry.name}' of {options.path} is not a tensor, which no edge format "
                "takes. Export the model without it."
            )
    if not entries:
        raise SourceError(f"{options.path} has no inputs: there is nothing to compute.")
    specs = tuple(spec_of(entry) for entry in entries)
    notes: tuple[str, ...] = ()
    symbols = {dim.dim_param for e in entries for dim in e.type.tensor_type.shape.dim[:1]}
    if any(spec.shape[:1] == (None,) for spec in specs):
        shared = any(
            dim.dim_param and dim.dim_param in symbols and not dim.dim_value
            for entry in entries
            for dim in entry.type.tensor_type.shape.dim[1:]
        )
        if shared or not all(spec.shape[:1] == (None,) for spec in specs):
            specs = tuple(
                _with_one_batch(e, s, symbols) for e, s in zip(entries, specs, strict=True)
            )
            notes = (SAME_SIZE_NOTE,)
    return resolve_shapes(options.path, specs, options.input_shapes), notes


def spec_of(entry: Any) -> TensorSpec:
    """Return an input or output of a model as it declares it."""
    tensor = entry.type.tensor_type
    if tensor.elem_type == onnx.TensorProto.STRING:
        return TensorSpec(entry.name, (), "str")
    sizes = tuple(
        dim.dim_value if dim.HasField("dim_value") and dim.dim_value > 0 else None
        for dim in tensor.shape.dim
    )
    return TensorSpec(entry.name, sizes, numpy_dtype(tensor.elem_type).name)


def _with_one_batch(entry: Any, spec: TensorSpec, symbols: set[str]) -> TensorSpec:
    sizes = [
        1 if size is None and (axis == 0 or (dim.dim_param and dim.dim_param in symbols)) else size
        for axis, (size, dim) in enumerate(
            zip(spec.shape, entry.type.tensor_type.shape.dim, strict=True)
        )
    ]
    return replace(spec, shape=tuple(sizes))
