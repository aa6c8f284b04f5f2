"""int8-weights: kernels stored as int8, each followed by a DequantizeLinear."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from edgekit_converters.calibration import Calibration
from edgekit_converters.onnx.graph import Layer, layers, values_of
from edgekit_runtimes.errors import NotAvailableError
from edgekit_runtimes.tensors import Array

# Smaller kernels save a few hundred bytes at most (three per element, less a DequantizeLinear and
# four per channel), and are those that suffer most: first layers and depthwise ones of small nets.
MIN_ELEMENTS = 256

# Symmetric, as ONNX and TFLite have it: -128 is left out.
INT8_MAX = 127


def quantize(
    model: onnx.ModelProto, _calibration: Calibration | None
) -> tuple[onnx.ModelProto, tuple[str, ...]]:
    """Store the kernels of convolutions and dense layers as int8, one scale per output channel.

    What it buys is a file of a quarter of the size; all computing stays in float32. Biases and
    kernels under MIN_ELEMENTS elements stay as they are. Raises NotAvailableError where no
    kernel is large enough.
    """
    if not store_int8(model):
        raise NotAvailableError(
            f"the model has no constant kernel of {MIN_ELEMENTS} or more elements"
        )
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


def symmetric_int8(values: Array, channel_axis: int) -> tuple[Array, Array]:
    """Return `values` as int8 and one float32 scale per channel: values = int8 * scale."""
    others = tuple(axis for axis in range(values.ndim) if axis != channel_axis)
    largest = np.abs(values).max(axis=others)
    scales = np.where(largest > 0, largest / INT8_MAX, 1).astype(np.float32)
    integers = np.rint(values / np.expand_dims(scales, others))
    return np.clip(integers, -INT8_MAX, INT8_MAX).astype(np.int8), scales


def _elements(layer: Layer) -> int:
    return int(np.prod(layer.kernel.dims))


def _put_in_front(graph: Any, nodes: list[Any]) -> None:
    rest = list(graph.node)
    del graph.node[:]
    graph.node.extend([*nodes, *rest])
