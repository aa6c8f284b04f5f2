"""int8-weights: kernels stored as int8, each followed by a DequantizeLinear, and tables."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from edgekit_converters.calibration import Calibration
from edgekit_converters.integers import LARGEST_HALF, signs, symmetric_int8
from edgekit_converters.onnx.graph import Layer, graphs, layers, values_of
from edgekit_converters.onnx.tables import store_tables

# Smaller kernels save a few hundred bytes at most (three per element, less a DequantizeLinear and
# four per channel), and are those that suffer most: first layers and depthwise ones of small nets.
MIN_ELEMENTS = 256


def quantize(
    model: onnx.ModelProto, _calibration: Calibration | None
) -> tuple[onnx.ModelProto, tuple[str, ...]]:
    """Store kernels as int8 with one scale per output channel, and tables with one per row.

    What it buys is a file of a quarter of the size; all computing stays in float32. Biases, kernels
    under MIN_ELEMENTS elements stay as they are; larger matrices that are no kernels (positions,
    grids) become float16.
    """
    store_tables(model)
    store_int8(model)
    _store_others(model)
    return model, ()


def store_int8(model: onnx.ModelProto) -> int:
    """Store the float kernels that are large enough as int8 and return how many there were."""
    found = [layer for layer in layers(model.graph) if _elements(layer) >= MIN_ELEMENTS]
    nodes = defaultdict(list)
    owners = {}
    kernels = {(id(layer.owner), layer.kernel.name): layer for layer in found}
    for (owner_id, name), layer in kernels.items():
        integers, scales = symmetric_int8(values_of(layer.kernel), layer.channel_axis)
        layer.kernel.CopyFrom(numpy_helper.from_array(integers, f"{name}_int8"))
        layer.owner.initializer.append(numpy_helper.from_array(scales, f"{name}_scale"))
        # The node makes a tensor of the kernel's old name, so nothing that reads it has to change.
        nodes[owner_id].append(
            onnx.helper.make_node(
                "DequantizeLinear",
                [f"{name}_int8", f"{name}_scale"],
                [name],
                axis=layer.channel_axis,
            )
        )
        owners[owner_id] = layer.owner
    for owner_id, owner in owners.items():
        _put_in_front(owner, nodes[owner_id])
    return len(kernels)


def _store_others(model: onnx.ModelProto) -> None:
    """Store matrices on the left of a product and masks as int8, and all others as float16.

    What is added or multiplied element by element is no kernel: errors of rounding do not cancel
    there, and a grid of coordinates would not survive 8 bits.
    """
    readers = defaultdict(set)
    for graph in graphs(model.graph):
        for node in graph.node:
            for place, name in enumerate(node.input):
                readers[name].add((node.op_type, place))
    for graph in graphs(model.graph):
        nodes = []
        for tensor in list(graph.initializer):
            is_matrix = sum(size > 1 for size in tensor.dims) > 1
            is_float = tensor.data_type == onnx.TensorProto.FLOAT
            if not is_float or not is_matrix or np.prod(tensor.dims) < MIN_ELEMENTS:
                continue
            name, values = tensor.name, values_of(tensor)
            is_left = readers[name] == {("MatMul", 0)}
            fits = np.abs(values).max() <= LARGEST_HALF
            axis = values.ndim - 2
            stored = symmetric_int8(values, axis) if is_left else None if fits else signs(values)
            if stored is not None:
                integers, scales = stored
                scales = scales if is_left else scales.reshape(())
                tensor.CopyFrom(numpy_helper.from_array(integers, f"{name}_int8"))
                graph.initializer.append(numpy_helper.from_array(scales, f"{name}_scale"))
                parts = [f"{name}_int8", f"{name}_scale"]
                nodes.append(onnx.helper.make_node("DequantizeLinear", parts, [name], axis=axis))
            elif readers[name] and fits:
                half = values.astype(np.float16)
                tensor.CopyFrom(numpy_helper.from_array(half, f"{name}_half"))
                to = onnx.TensorProto.FLOAT
                nodes.append(onnx.helper.make_node("Cast", [f"{name}_half"], [name], to=to))
        _put_in_front(graph, nodes)


def _elements(layer: Layer) -> int:
    return int(np.prod(layer.kernel.dims))


def _put_in_front(graph: Any, nodes: list[Any]) -> None:
    rest = list(graph.node)
    del graph.node[:]
    graph.node.extend([*nodes, *rest])
