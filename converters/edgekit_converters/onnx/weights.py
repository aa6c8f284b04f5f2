"""int8-weights: kernels stored as int8, each followed by a DequantizeLinear, and tables."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from edgekit_converters.calibration import Calibration
from edgekit_converters.integers import symmetric_int8
from edgekit_converters.onnx.graph import Layer, layers, values_of
from edgekit_converters.onnx.tables import store_tables

# Smaller kernels save a few hundred bytes at most (three per element, less a DequantizeLinear and
# four per channel), and are those that suffer most: first layers and depthwise ones of small nets.
MIN_ELEMENTS = 256


def quantize(
    model: onnx.ModelProto, _calibration: Calibration | None
) -> tuple[onnx.ModelProto, tuple[str, ...]]:
    """Store kernels as int8 with one scale per output channel, and tables with one per row.

    What it buys is a file of a quarter of the size; all computing stays in float32. Biases, kernels
    under MIN_ELEMENTS elements and what is added or multiplied element by element stay as they
    are.
    """
    store_tables(model)
    store_int8(model)
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


def _elements(layer: Layer) -> int:
    return int(np.prod(layer.kernel.dims))


def _put_in_front(graph: Any, nodes: list[Any]) -> None:
    rest = list(graph.node)
    del graph.node[:]
    graph.node.extend([*nodes, *rest])
