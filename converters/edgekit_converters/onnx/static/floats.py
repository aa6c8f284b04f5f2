"""Kernels of the layers that stay in float among integers, stored as int8 all the same."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

import numpy as np
import onnx
from onnx import numpy_helper

from edgekit_converters.integers import symmetric_int8
from edgekit_converters.onnx.graph import layers, values_of
from edgekit_converters.onnx.weights import MIN_ELEMENTS


def store_kernels(model: onnx.ModelProto, names: AbstractSet[str]) -> None:
    """Store the float kernels that these nodes alone read as int8.

    Cast and Mul make floats of them again, which onnxruntime does once, at load. DequantizeLinear
    it would compute in every run, and in front of a MatMul make a layer of integers of.
    """
    graph = model.graph
    chosen = [layer for layer in layers(graph) if layer.node.name in names and not layer.in_loop]
    kernels = {layer.kernel.name: layer for layer in chosen}
    for node in graph.node:
        if node.name not in names:
            for name in node.input:
                kernels.pop(name, None)
    made = []
    for name, layer in kernels.items():
        values = values_of(layer.kernel)
        if values.size < MIN_ELEMENTS:
            continue
        integers, scales = symmetric_int8(values, layer.channel_axis)
        shape = [1] * values.ndim
        shape[layer.channel_axis] = -1
        spread = scales.astype(np.float32).reshape(shape)
        layer.kernel.CopyFrom(numpy_helper.from_array(integers, f"{name}_int8"))
        graph.initializer.append(numpy_helper.from_array(spread, f"{name}_scale"))
        to = onnx.TensorProto.FLOAT
        made.append(onnx.helper.make_node("Cast", [f"{name}_int8"], [f"{name}_cast"], to=to))
        made.append(onnx.helper.make_node("Mul", [f"{name}_cast", f"{name}_scale"], [name]))
    rest = list(graph.node)
    del graph.node[:]
    graph.node.extend([*made, *rest])
