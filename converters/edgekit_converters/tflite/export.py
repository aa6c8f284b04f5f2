"""A frozen graph becomes the float TFLite file that every artifact is made from."""

from __future__ import annotations

import re
from pathlib import Path

import flatbuffers
import numpy as np
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.frozen import SIGNATURE_KEY, FrozenGraph
from edgekit_runtimes.errors import ConversionError, map_exceptions
from edgekit_runtimes.owned.folder import temporary_folder


def prepare(graph: FrozenGraph) -> bytes:
    """Return the float TFLite file of a frozen graph, from which every artifact is made.

    Raises ConversionError naming the operators that TFLite does not have.
    """
    with temporary_folder() as folder:
        saved = _separate_outputs(graph).save(Path(folder) / "frozen")
        converter = tf.lite.TFLiteConverter.from_saved_model(
            str(saved), signature_keys=[SIGNATURE_KEY]
        )
        try:
            return _shorten_names(bytes(converter.convert()))
        except Exception as error:
            # The converter's text is a screenful of MLIR; the operators in it are what matters.
            missing = sorted(set(re.findall(r"tf\.(\w+)\(", str(error).split("Details:")[-1])))
            if "op is neither a custom op nor a flex op" in str(error) and missing:
                raise ConversionError(
                    f"TFLite has no operator for: {', '.join(missing)}. "
                    "Replace those layers, or leave the format out with --to."
                ) from error
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
    for subgraph in tree.subgraphs:
        taken: set[str] = set()
        for number, tensor in enumerate(subgraph.tensors):
            short = tensor.name.decode().split(";")[0]
            # The quantizer finds tensors by name, so names stay unique.
            tensor.name = f"{short}_{number}" if short in taken else short
            taken.add(tensor.name)
    builder = flatbuffers.Builder(len(model))
    builder.Finish(tree.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())
