"""The inner tensors of an ONNX file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import onnx

from edgekit_converters.inner import InnerTensor


def tensors(path: Path) -> list[InnerTensor]:
    """Return the tensors of floats that the main graph computes.

    What compacting leaves are the names of the nodes: tf2onnx takes them from TensorFlow.
    """
    graph = onnx.shape_inference.infer_shapes(onnx.load(path)).graph
    made = {name for node in graph.node for name in node.output}
    outputs = {output.name for output in graph.output}
    floats = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)
    types = {
        value.name: value.type.tensor_type.elem_type for value in (*graph.value_info, *graph.output)
    }
    return [
        InnerTensor(
            name,
            name if name in outputs else node.name,
            tuple(source for source in node.input if source in made),
        )
        for node in graph.node
        for name in node.output[:1]
        if types.get(name) in floats
    ]


def expose(path: Path, names: Sequence[str], target: Path) -> Mapping[str, str]:
    """Write a copy whose graph gives these tensors too."""
    model = onnx.load(path)
    own = {output.name for output in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in own)
    onnx.save(model, target)
    return {name: name for name in names}
