"""A frozen graph becomes the float TFLite file that every artifact is made from."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import flatbuffers
import numpy as np
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from tensorflow.lite.python.lite import TFLiteSavedModelConverterV2

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.frozen import SERVING, SIGNATURE_KEY, FrozenGraph
from edgekit_converters.graph.naming import with_layers
from edgekit_converters.graph.normalize import apply
from edgekit_converters.graph.substitutes import (
    cumprod,
    diagonals,
    doubles,
    elementary,
    groups_3d,
    pools_3d,
    resize,
    roll,
)
from edgekit_converters.memory import give_back_memory
from edgekit_runtimes.errors import ConversionError, map_exceptions
from edgekit_runtimes.owned.folder import temporary_folder

# What packing needs beyond the file itself: alignment, and room for the next string.
BUILDER_SPARE = 1 << 20

# What TFLite has no operator for, in operators that it has. They are not written so from the start:
# of an Erf within a gelu the converter makes an operator of its own.
REWRITES = {
    "Cumprod": cumprod.rewrite,
    "MatrixDiagPartV3": diagonals.rewrite,
    "Roll": roll.rewrite,
    **dict.fromkeys(pools_3d.POOLS, pools_3d.rewrite),
    **dict.fromkeys(resize.OPS, resize.rewrite),
    **{op: elementary.without(op) for op in elementary.FUNCTIONS},
}
# What the converter calls float64.
DOUBLE = "f64>"


class _MissingError(Exception):
    """The converter has no operators of these names, or not of float64."""

    def __init__(self, ops: Iterable[str], has_doubles: bool) -> None:
        super().__init__(*ops)
        self.ops = frozenset(ops)
        self.has_doubles = has_doubles


def prepare(graph: FrozenGraph) -> bytes:
    """Return the float TFLite file of a frozen graph, from which every artifact is made.

    Raises ConversionError naming the operators that TFLite does not have.
    """
    graph = apply(graph, groups_3d.rewrite)
    while True:
        try:
            return _shorten_names(_convert(_separate_outputs(graph)))
        except _MissingError as error:
            rewrites = [REWRITES[op] for op in sorted(error.ops & REWRITES.keys())]
            if error.has_doubles:
                rewrites.append(doubles.rewrite)
            rewritten = apply(graph, *rewrites)
            if rewritten is graph:
                named = with_layers(graph.graph_def, error.ops)
                raise ConversionError(
                    f"TFLite has no operator for: {named}. "
                    "Replace those layers, or leave the format out with --to."
                ) from error
            graph = rewritten


def _convert(graph: FrozenGraph) -> bytes:
    """Return what TensorFlow's converter makes of a graph. Raises _MissingError."""
    with temporary_folder() as folder:
        graph.save(Path(folder))
        give_back_memory()
        # Its public makers load the SavedModel twice in Python, only to see what is in it.
        converter = TFLiteSavedModelConverterV2(folder, {SERVING}, [SIGNATURE_KEY])
        try:
            return bytes(converter._convert_from_saved_model(tf.compat.v1.GraphDef()))
        except Exception as error:
            # The converter's text is a screenful of MLIR; the operators in it are what matters.
            details = str(error).split("Details:")[-1]
            missing = set(re.findall(r"tf\.(\w+)\(", details))
            if "op is neither a custom op nor a flex op" in str(error) and missing:
                raise _MissingError(missing, DOUBLE in details) from error
            with map_exceptions("TFLite conversion failed", ConversionError):
                raise


def _separate_outputs(frozen: FrozenGraph) -> FrozenGraph:
    """Let each output be a tensor of its own, which no other node reads.

    The LiteRT quantizer writes files that do not load, or answer wrongly, where an output is read
    inside the graph too, or stands twice among the outputs. The converter removes every kind of
    copy except a Gather of all elements in their order.
    """
    graph = EditableGraph(frozen)
    graph.forward()
    tensors = list(graph.outputs.values())
    shared = {
        tensor
        for tensor in tensors
        if tensor not in graph.inputs.values()
        and (graph.users(tensor) or tensors.count(tensor) > 1)
    }
    if not shared:
        return frozen
    for entry in frozen.outputs:
        name, size = entry.spec.name, entry.spec.shape[-1] if entry.spec.shape else None
        tensor = graph.outputs[name]
        if tensor in shared and size is not None:
            graph.outputs[name] = _copied(graph, name, tensor, entry.spec.dtype, size)
    return graph.frozen()


def _copied(graph: EditableGraph, name: str, tensor: str, dtype: str, size: int) -> str:
    places = graph.add_constant(f"{name}/places", np.arange(size, dtype=np.int32))
    axis = graph.add_constant(f"{name}/axis", np.array(-1, np.int32))
    int32 = tf.int32.as_datatype_enum
    kind = tf.as_dtype(dtype).as_datatype_enum
    return graph.add(
        "GatherV2", name, [tensor, places, axis], Tparams=kind, Tindices=int32, Taxis=int32
    )


def _shorten_names(model: bytes) -> bytes:
    """Return the file with each tensor named by one node instead of all that were fused into it.

    The converter joins them with ";", which makes a tenth of a small model's file.
    """
    tree = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(model, 0))
    # The quantizer finds tensors by name, so names are unique, over the bodies of loops as well.
    taken: set[str] = set()
    for subgraph in tree.subgraphs:
        for number, tensor in enumerate(subgraph.tensors):
            name = short = tensor.name.decode().split(";")[0]
            while name in taken:
                name, number = f"{short}_{number}", number + 1
            tensor.name = name
            taken.add(name)
    # A builder that is too small doubles: names only become shorter.
    builder = flatbuffers.Builder(len(model) + BUILDER_SPARE)
    builder.Finish(tree.Pack(builder), file_identifier=b"TFL3")
    return bytes(memoryview(builder.Bytes)[builder.Head() :])
