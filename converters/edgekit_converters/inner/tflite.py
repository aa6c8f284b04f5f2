"""The inner tensors of a TFLite file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgekit_converters.inner import InnerTensor

FLOATS = (schema.TensorType.FLOAT32, schema.TensorType.FLOAT16)


def tensors(path: Path) -> list[InnerTensor]:
    """Return the tensors of floats that the main graph computes."""
    tree = _tree(path)
    graph = tree.subgraphs[0]
    names = [tensor.name.decode() for tensor in graph.tensors]
    made = {int(output) for node in graph.operators for output in node.outputs}
    signature = {entry.tensorIndex: entry.name.decode() for entry in tree.signatureDefs[0].outputs}
    return [
        InnerTensor(
            names[output],
            signature.get(output, names[output]),
            tuple(names[source] for source in node.inputs if int(source) in made),
        )
        for node in graph.operators
        for output in map(int, node.outputs)
        if graph.tensors[output].type in FLOATS
    ]


def expose(path: Path, names: Sequence[str], target: Path) -> Mapping[str, str]:
    """Write a copy whose main graph, and its signature, give these tensors too."""
    tree = _tree(path)
    graph, signature = tree.subgraphs[0], tree.signatureDefs[0]
    places = {tensor.name.decode(): place for place, tensor in enumerate(graph.tensors)}
    outputs = {name: f"inner {number}" for number, name in enumerate(names)}
    for name, output in outputs.items():
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = output, places[name]
        signature.outputs.append(entry)
    own = [int(place) for place in graph.outputs]
    graph.outputs = own + [places[name] for name in names if places[name] not in own]
    builder = flatbuffers.Builder(path.stat().st_size)
    builder.Finish(tree.Pack(builder), file_identifier=b"TFL3")
    target.write_bytes(bytes(builder.Output()))
    return outputs


def _tree(path: Path) -> Any:
    """Return the file as objects, with the buffers that lie behind the flatbuffer in it."""
    content = path.read_bytes()
    tree = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    for buffer in tree.buffers:
        if buffer.offset > 1:
            # Trap: packing would lose them.
            end = buffer.offset + buffer.size
            buffer.data = np.frombuffer(content[buffer.offset : end], np.uint8)
            buffer.offset = buffer.size = 0
    return tree
