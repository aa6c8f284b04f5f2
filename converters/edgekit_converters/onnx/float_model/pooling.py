"""Means over an image become global average pools.

onnxruntime computes those with integers, and ort-web computes them on WebGL.
"""

from __future__ import annotations

from typing import Any

import onnx

from edgekit_converters.onnx.graph import attribute_of, values_of

# Batch, channels, height, width.
IMAGE_RANK = 4
IMAGE_AXES = {2, 3}


def use_global_pools(graph: Any) -> None:
    """Write each ReduceMean over height and width as GlobalAveragePool, and Flatten where needed.

    onnxruntime has no integer kernel for ReduceMean: static int8 would turn its input into floats
    and add those up, in an order that depends on the CPU. ort-web's WebGL back end knows ReduceMean
    only up to opset 17, where its axes are an attribute.
    """
    constants = {tensor.name: tensor for tensor in graph.initializer}
    ranks = {
        value.name: len(value.type.tensor_type.shape.dim)
        for value in (*graph.input, *graph.value_info)
        if value.type.tensor_type.HasField("shape")
    }
    nodes: list[Any] = []
    for node in graph.node:
        if node.op_type == "ReduceMean" and _is_over_image(node, constants, ranks):
            nodes += _global_pool(node, graph)
        else:
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)


def _is_over_image(node: Any, constants: dict[str, Any], ranks: dict[str, int]) -> bool:
    if ranks.get(node.input[0]) != IMAGE_RANK or len(node.input) < 2:
        return False
    axes = constants.get(node.input[1])
    return axes is not None and {axis % IMAGE_RANK for axis in values_of(axes)} == IMAGE_AXES


def _global_pool(mean: Any, graph: Any) -> list[Any]:
    source, target = mean.input[0], mean.output[0]
    if attribute_of(mean, "keepdims", 1):
        return [onnx.helper.make_node("GlobalAveragePool", [source], [target], mean.name)]
    pooled = f"{target}_pooled"
    # Calibration watches the tensors that are named here.
    graph.value_info.append(
        onnx.helper.make_tensor_value_info(pooled, onnx.TensorProto.FLOAT, None)
    )
    return [
        onnx.helper.make_node("GlobalAveragePool", [source], [pooled], mean.name),
        onnx.helper.make_node("Flatten", [pooled], [target], f"{mean.name}_flatten", axis=1),
    ]
