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
from edgekit_converters.memory import give_back_memory
from edgekit_converters.sources.onnx.build import axes_of, build, check_operators
from edgekit_converters.sources.onnx.facts import Facts, ask
from edgekit_converters.sources.onnx.node import numpy_dtype
from edgekit_converters.sources.onnx.prove import prove, samples_of
from edgekit_converters.sources.onnx.read import check_opset
from edgekit_converters.sources.onnx.simplify import simplify
from edgekit_converters.sources.onnx.value import HIGH, LOW
from edgekit_converters.sources.shapes import resolve_shapes
from edgekit_runtimes.engines.onnxruntime import fixed_array
from edgekit_runtimes.errors import EngineError, SourceError, UsageError, first_line, map_exceptions
from edgekit_runtimes.tensors import TensorSpec

Layout = Literal["auto", "nchw", "nhwc"]

FREE_BATCH = "batch"
ONE_BATCH_NOTE = "the batch is fixed to 1: the model takes no other, though it says so ({reason})"
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
    own = onnx.ModelProto()
    own.CopyFrom(model)
    fix_inputs(own, options.fixed, path)
    inputs, notes = _inputs(own, options)
    _declare(own, inputs)
    with map_exceptions(f"{path} cannot be imported", SourceError):
        session, simple = simplify(own)
        del own
        check_operators(simple.graph, frozenset())
        facts, inputs, told = _facts(simple, inputs)
        is_flat = options.layout == "nchw"
        built = build(simple, facts, inputs, is_flat)
        graph = normalize(built.graph)
        batches = _batches(inputs)
        prove(graph, built, simple, session, samples_of(inputs, batches))
    del session, simple
    give_back_memory()
    axes = axes_of(built.orders)
    if options.layout == "auto":
        graph = _with_source_axes(graph, axes)
    if axes:
        notes = (*notes, LAYOUT_NOTE.format(names=", ".join(sorted(axes))))
    return Imported(graph, axes, (*notes, *told))


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


def _declare(model: Any, inputs: tuple[TensorSpec, ...]) -> None:
    """Write the sizes of the inputs into the model, so that onnxruntime folds what they decide."""
    specs = {spec.name: spec for spec in inputs}
    for entry in model.graph.input:
        if entry.name in specs:
            sizes = entry.type.tensor_type.shape.dim
            for dim, size in zip(sizes, specs[entry.name].shape, strict=True):
                if size is None:
                    dim.dim_param = FREE_BATCH
                else:
                    dim.dim_value = size
    # What was inferred for other sizes contradicts these.
    del model.graph.value_info[:]
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")


def _batches(inputs: tuple[TensorSpec, ...]) -> tuple[int | None, ...]:
    is_free = any(None in spec.shape for spec in inputs)
    return (LOW, HIGH) if is_free else (None, None)


def _facts(
    simple: Any, inputs: tuple[TensorSpec, ...]
) -> tuple[Facts, tuple[TensorSpec, ...], tuple[str, ...]]:
    """Return what onnxruntime says; with batch 1 where the model takes no other."""
    batches = _batches(inputs)
    samples = samples_of(inputs, batches)
    try:
        return ask(simple, samples if batches[0] else samples[:1]), inputs, ()
    except Exception as error:
        if batches[0] is None:
            raise
        fixed = tuple(replace(spec, shape=(1, *spec.shape[1:])) for spec in inputs)
        facts = ask(simple, samples_of(fixed, (None,)))
        return facts, fixed, (ONE_BATCH_NOTE.format(reason=first_line(error)),)
