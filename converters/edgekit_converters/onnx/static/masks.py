"""Masks: nodes that stay in floats where activations are quantized."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx

from edgekit_converters.integers import LARGEST_ACTIVATION
from edgekit_converters.onnx.graph import KERNEL_OPS, values_of


def masked_nodes(graph: Any, largest: Mapping[str, float]) -> list[str]:
    """Return the names of the nodes that read or make values which a constant masks.

    Attention takes 1e9 from the scores that it masks, or selects -inf instead of them. In 8 bits
    such a tensor has steps of millions: all scores that are not masked become one value.

    graph: with its nodes in order. One of these nodes that has no name gets one.
    largest: the largest magnitude in each tensor over the calibration samples.
    """
    # Neither kernels and biases nor bounds mask.
    parts = {
        name for node in graph.node if node.op_type in {*KERNEL_OPS, "Clip"} for name in node.input
    }
    masked = {
        tensor.name
        for tensor in graph.initializer
        if tensor.data_type == onnx.TensorProto.FLOAT
        and tensor.name not in parts
        and np.abs(values_of(tensor)).max(initial=0) > LARGEST_ACTIVATION
    }
    names = []
    for number, node in enumerate(graph.node):
        if masked.intersection(node.input):
            masked.update(
                output for output in node.output if largest.get(output, 0) > LARGEST_ACTIVATION
            )
            node.name = node.name or f"masked_{number}"
            names.append(node.name)
    return names
