"""The sizes of a graph that computes no shapes, without running it.

It costs a tenth of a run, and most models are such graphs once they are simplified.
"""

from __future__ import annotations

import math
from typing import Any

import onnx

from edgekit_converters.sources.onnx.value import HIGH, LOW, Free, Sizes

# Sizes and axes are small; no size depends on the values of a larger constant.
MOST_VALUES = 1024


def inferred(model: Any, batch: str) -> dict[str, Sizes] | None:
    """Return the sizes of all tensors by name; None where those of one stay open.

    batch: what the model calls the size that is free.
    """
    bare = onnx.ModelProto(ir_version=model.ir_version, opset_import=model.opset_import)
    graph = bare.graph
    graph.name = model.graph.name
    graph.node.extend(model.graph.node)
    graph.input.extend(model.graph.input)
    given = {entry.name for entry in graph.input}
    for tensor in model.graph.initializer:
        if math.prod(tensor.dims) <= MOST_VALUES:
            graph.initializer.add().CopyFrom(tensor)
        elif tensor.name not in given:
            graph.input.append(
                onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
            )
    for output in model.graph.output:
        kept = graph.output.add()
        kept.CopyFrom(output)
        kept.type.tensor_type.ClearField("shape")
    try:
        found = onnx.shape_inference.infer_shapes(bare, data_prop=True).graph
    except Exception:
        # An operator that only onnxruntime knows.
        return None
    sizes: dict[str, Sizes] = {
        tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer
    }
    for entry in (*found.input, *found.value_info, *found.output):
        read = _sizes(entry, batch)
        if read is not None:
            sizes[entry.name] = read
    names = {name for node in model.graph.node for name in node.output if name}
    return sizes if names <= sizes.keys() else None


def _sizes(entry: Any, batch: str) -> Sizes | None:
    tensor = entry.type.tensor_type
    if not tensor.HasField("shape"):
        return None
    found: list[int | Free] = []
    for dim in tensor.shape.dim:
        if dim.HasField("dim_value"):
            found.append(int(dim.dim_value))
        elif dim.dim_param == batch:
            found.append(Free(LOW, HIGH))
        else:
            return None
    return tuple(found)
