"""A frozen graph becomes the float TFLite file that every artifact is made from."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import flatbuffers
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

from edgekit_converters.graph.frozen import SIGNATURE_KEY, FrozenGraph
from edgekit_runtimes.errors import ConversionError, map_exceptions


def prepare(graph: FrozenGraph) -> bytes:
    """Return the float TFLite file of a frozen graph, from which every artifact is made.

    Raises ConversionError naming the operators that TFLite does not have.
    """
    with tempfile.TemporaryDirectory() as folder:
        saved = graph.save(Path(folder) / "frozen")
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
