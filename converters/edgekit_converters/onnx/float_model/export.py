"""A frozen graph becomes the float ONNX model that every artifact is made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import tensorflow as tf
from tf2onnx import tf_loader
from tf2onnx.optimizer import _get_optimizers as all_optimizers
from tf2onnx.tfonnx import process_tf_graph

from edgekit_converters.calibration import Calibration
from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_converters.graph.naming import with_layers
from edgekit_converters.graph.normalize import apply, bucketize
from edgekit_converters.graph.substitutes import (
    cumprod,
    einsum,
    elementary,
    fourier,
    groups_3d,
    resize,
)
from edgekit_converters.memory import give_back_memory
from edgekit_converters.onnx.float_model.optimize import optimize
from edgekit_converters.onnx.float_model.order import keep_source_axes
from edgekit_converters.onnx.float_model.paddings import mend_paddings
from edgekit_converters.onnx.float_model.pooling import use_global_pools
from edgekit_converters.onnx.float_model.proof import difference
from edgekit_converters.onnx.graph import graphs
from edgekit_converters.onnx.loops import hoist_constants
from edgekit_converters.onnx.quiet import quiet
from edgekit_runtimes.errors import ConversionError, first_line, map_exceptions
from edgekit_runtimes.owned.folder import temporary_folder

# The newest that tf2onnx writes; onnxruntime and ort-web read it since 1.14 (2023).
OPSET = 18
BATCH_NAME = "batch"
NOTE = "edgekit.note"
ERRORS_ONLY = 3


# What tf2onnx has no operator for, or is slow or wrong with, in operators that it has.
REWRITES = (
    bucketize.rewrite,
    cumprod.rewrite,
    einsum.rewrite,
    elementary.without("Erfc", "Expm1", "Log1p"),
    fourier.rewrite,
    groups_3d.rewrite,
    resize.rewrite,
)


@dataclass(frozen=True)
class Way:
    """How tf2onnx's optimizers are run, which do not all work on all graphs.

    left_out: their names. catch_errors: lets them work on copies and goes on without one that
    fails, which takes three times as long.
    """

    left_out: frozenset[str] = frozenset()
    catch_errors: bool = False


# Tried in this order, until onnxruntime answers as TensorFlow does. One optimizer fails on
# MobileNetV3 and leaves the graph half edited; `optimize_transpose` gets recurrent nets with a
# residual connection wrong.
WAYS = (
    Way(),
    Way(catch_errors=True),
    Way(frozenset({"optimize_transpose"}), catch_errors=True),
    Way(frozenset(all_optimizers())),
)


def prepare(graph: FrozenGraph) -> onnx.ModelProto:
    """Return the float ONNX model of a frozen graph: signature names, free batch kept, simplified.

    Inputs are in the source's layout: channels last with one Transpose after each image input, or
    channels first where the graph says that its source is.
    Raises ConversionError naming the operators that ONNX does not have.
    """
    both = {e.spec.name for e in graph.inputs} & {e.spec.name for e in graph.outputs}
    if both:
        raise ConversionError(
            f"'{sorted(both)[0]}' names an input and an output, which ONNX does not allow. "
            "Export the model with another output name, or leave the format out with --to."
        )
    graph = apply(graph, *REWRITES)
    with map_exceptions("ONNX conversion failed", ConversionError), quiet("tf2onnx"):
        faults = []
        for way in WAYS:
            try:
                model = _convert(graph, way)
                give_back_memory()
                model = _finished(model, graph)
                give_back_memory()
            except ConversionError:
                raise
            except Exception as error:
                faults.append(first_line(error))
                continue
            fault = difference(model, graph)
            if not fault:
                keep_source_axes(model, graph.source_axes)
                _keep_note(model, way)
                return model
            faults.append(fault)
    raise ConversionError(f"ONNX conversion failed: {faults[0]}")


def _keep_note(model: onnx.ModelProto, way: Way) -> None:
    """Let the model say which optimizers were left out, until `taken_notes` is called."""
    if way.left_out:
        names = ", ".join(sorted(way.left_out))
        note = f"made without these optimizers of tf2onnx, which would change its outputs: {names}"
        onnx.helper.set_model_props(model, {NOTE: note})


def taken_notes(model: onnx.ModelProto) -> tuple[str, ...]:
    """Return what the model says of how it was made, and take it out."""
    found = [entry for entry in model.metadata_props if entry.key == NOTE]
    notes = tuple(entry.value for entry in found)
    for entry in found:
        model.metadata_props.remove(entry)
    return notes


def _finished(model: onnx.ModelProto, graph: FrozenGraph) -> onnx.ModelProto:
    _check_operators(model, graph)
    _name_free_sizes(model, graph)
    mend_paddings(model.graph)
    hoist_constants(model.graph)
    return finish(model)


def finish(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a float model simplified, with the shapes that its quantizers ask for."""
    prepared = onnx.shape_inference.infer_shapes(_simplify(model))
    use_global_pools(prepared.graph)
    return prepared


def as_prepared(
    model: onnx.ModelProto, _calibration: Calibration | None
) -> tuple[onnx.ModelProto, tuple[str, ...]]:
    """Return the float model as it is: the artifact fp32."""
    return model, ()


def _convert(graph: FrozenGraph, way: Way) -> onnx.ModelProto:
    """Convert with tf2onnx.

    Its from_graph_def is not used: it drops tensors_to_rename, and freezes the frozen graph once
    more only to throw the result away.
    """
    converted = _in_onnx(graph)
    give_back_memory()
    optimizers = {
        name: optimizer for name, optimizer in all_optimizers().items() if name not in way.left_out
    }
    return optimize(converted, optimizers, way.catch_errors).make_model("")


def _in_onnx(graph: FrozenGraph) -> Any:
    """Return a graph as tf2onnx has it, in operators of ONNX."""
    inputs = [entry.tensor for entry in graph.inputs]
    outputs = [entry.tensor for entry in graph.outputs]
    names = {entry.tensor: entry.spec.name for entry in (*graph.inputs, *graph.outputs)}
    with tf.device("/cpu:0"):
        with tf.Graph().as_default():
            graph_def = tf_loader.tf_optimize(inputs, outputs, graph.graph_def)
        with tf.Graph().as_default() as tf_graph:
            tf.import_graph_def(graph_def, name="")
            del graph_def
            give_back_memory()
            return process_tf_graph(
                tf_graph,
                continue_on_error=True,
                opset=OPSET,
                input_names=inputs,
                output_names=outputs,
                tensors_to_rename=names,
            )


def _check_operators(model: onnx.ModelProto, graph: FrozenGraph) -> None:
    """tf2onnx leaves an operator that it cannot convert in the graph, under TensorFlow's name."""
    unknown = {
        node.op_type
        for inner in graphs(model.graph)
        for node in inner.node
        if not onnx.defs.has(node.op_type, node.domain)
    }
    if unknown:
        raise ConversionError(
            f"ONNX has no operator for: {with_layers(graph.graph_def, unknown)}. "
            "Replace those layers, or leave the format out with --to."
        )


def _name_free_sizes(model: onnx.ModelProto, graph: FrozenGraph) -> None:
    """Call the free batch axis "batch" instead of tf2onnx's running number ("unk__47")."""
    specs = {spec.name: spec for spec in (*graph.input_specs, *graph.output_specs)}
    for value in (*model.graph.input, *model.graph.output):
        sizes = value.type.tensor_type.shape.dim
        for axis, (size, wanted) in enumerate(zip(sizes, specs[value.name].shape, strict=True)):
            if wanted is None and not size.HasField("dim_value"):
                size.dim_param = BATCH_NAME if axis == 0 else f"{value.name}_{axis}"


def _simplify(model: onnx.ModelProto) -> onnx.ModelProto:
    """Fold constants, and batch norms into convolutions, by onnxruntime's basic optimizations.

    They know no hardware, so the result runs everywhere. What they leave is what its quantizers
    want (`quant_pre_process` does the same), and quicker than onnxslim's.
    """
    with temporary_folder() as folder:
        path = Path(folder) / "simplified.onnx"
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(path)
        options.log_severity_level = ERRORS_ONLY
        onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        simplified = onnx.load(path)
    # onnxruntime declares all the operator sets that it knows.
    used = {node.domain for graph in graphs(simplified.graph) for node in graph.node}
    opsets = [opset for opset in simplified.opset_import if opset.domain in {"", *used}]
    del simplified.opset_import[:]
    simplified.opset_import.extend(opsets)
    return simplified
