"""A TFLite file becomes a frozen graph, for the other formats and for pruning, by way of ONNX."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import onnx
from tf2onnx.convert import from_tflite
from tf2onnx.handler import tf_op

from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_converters.onnx.float_model.export import OPSET
from edgekit_converters.onnx.graph import graphs
from edgekit_converters.onnx.quiet import quiet
from edgekit_converters.sources.onnx.importing import ImportOptions, import_model
from edgekit_converters.sources.tflite.file import GivenFile
from edgekit_converters.sources.tflite.operators import PREFIX, RULES, replace_operators
from edgekit_runtimes.errors import ConversionError, NotAvailableError, SourceError, map_exceptions
from edgekit_runtimes.owned.folder import temporary_folder
from edgekit_runtimes.tensors import TensorSpec


def frozen_graph(given: GivenFile, inputs: tuple[TensorSpec, ...]) -> FrozenGraph:
    """Return the graph of a file, with its inputs and outputs in the file's own order.

    inputs: with the sizes that the user gave. Raises NotAvailableError naming the operators that
    only TFLite has, ConversionError where the file cannot be turned otherwise.
    """
    _check_operators(given)
    model = to_onnx(given, {spec.name: spec.shape for spec in inputs})
    try:
        # It has the file's own order already, whatever that is.
        return import_model(model, ImportOptions(layout="nchw", path=given.path)).graph
    except SourceError as error:
        raise NotAvailableError(str(error)) from error


def to_onnx(given: GivenFile, shapes: Mapping[str, tuple[int | None, ...]]) -> onnx.ModelProto:
    """Return a file as an ONNX model, its inputs and outputs by their names in the signature."""
    inputs, outputs = given.names()
    with (
        map_exceptions("tf2onnx cannot read the file", ConversionError),
        quiet("tf2onnx"),
        temporary_folder() as folder,
    ):
        file = Path(folder) / "given.tflite"
        file.write_bytes(given.content)
        fixed = {
            inputs[name]: [-1 if size is None else size for size in shape]
            for name, shape in shapes.items()
        }
        model, _ = from_tflite(
            str(file),
            input_names=list(inputs.values()),
            output_names=list(outputs.values()),
            opset=OPSET,
            shape_override=fixed,
        )
    for graph in graphs(model.graph):
        replace_operators(graph)
    _rename(model.graph, {tensor: name for name, tensor in (*inputs.items(), *outputs.items())})
    return model


def _check_operators(given: GivenFile) -> None:
    opsets = (one for domain in tf_op.get_opsets().values() for one in domain)
    known = {name.removeprefix(PREFIX) for one in opsets for name in one}
    counts = given.operators()
    unknown = counts.keys() - known - RULES.keys()
    if unknown:
        told = ", ".join(f"{op} ({counts[op]})" for op in sorted(unknown))
        raise NotAvailableError(
            f"the file computes with operators of TFLite that other formats are not made of: "
            f"{told}. Bring the model that it was made from"
        )


def _rename(graph: onnx.GraphProto, names: Mapping[str, str]) -> None:
    """Give tensors other names, everywhere in the graph."""
    taken = {name for name in names.values() if name not in names}
    for value in (*graph.input, *graph.output):
        value.name = names.get(value.name, value.name)
    for inner in graphs(graph):
        for node in inner.node:
            for tensors in (node.input, node.output):
                for place, name in enumerate(tensors):
                    # A tensor inside that has the new name already gets another.
                    tensors[place] = names.get(name, f"{name}_inner" if name in taken else name)
        for tensor in inner.initializer:
            if tensor.name in taken:
                tensor.name = f"{tensor.name}_inner"
    del graph.value_info[:]
