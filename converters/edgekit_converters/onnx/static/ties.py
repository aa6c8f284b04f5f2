"""Quantized additions whose sums never lie halfway between two steps of the output.

onnxruntime adds in floats on x86-64, where a tie goes to the even step, and in fixed point on
ARM64, where it goes away from zero; what is near a tie falls to one side there and to the other
here. Where both inputs have one scale and the output twice that scale, as after two relu6, every
odd sum is a tie.
https://github.com/microsoft/onnxruntime/blob/main/onnxruntime/core/mlas/lib/qladd.cpp
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import numpy_helper

from edgekit_converters.onnx.graph import values_of
from edgekit_runtimes.tensors import Array

# How near is near, in steps of the output. In fixed point the ratio of an input's scale to the
# output's is a multiple of 2^-22 where the larger of the two is under 1 (of 2^-21 where it is under
# 2, and so on), so that two inputs of 8 bits are off by up to 2 x 255 x 2^-23. In floats 3.5e-5 was
# the most, over all sums for 300 random triples of scales and zero points.
MARGIN = 2.0**-14

# What the output's scale is multiplied by: the first that is enough. 1.0001 would be for ties too,
# but round all of them down, which costs digits .7 dB of SQNR (33.4 to 32.7); from 1.02 on, sums
# fall to both sides, and nothing is lost. 1.025 was enough for 400 random triples.
GROWTHS = (1.0, *(1.02 + 1e-5 * np.arange(1000)))


@dataclass(frozen=True)
class Grid:
    """The values that a quantized tensor can have: scale * levels, 256 of them for 8 bits."""

    scale: float
    levels: Array


def keep_off_ties(graph: Any) -> None:
    """Enlarge the output scales of the additions in a QDQ graph so that no sum is near a tie.

    Additions have to be in order: the output of one may be an input of the next. If no growth is
    enough, the output keeps its scale.
    """
    constants = {tensor.name: tensor for tensor in graph.initializer}
    makers = {name: node for node in graph.node for name in node.output}
    takers = {node.input[0]: node for node in graph.node if node.op_type == "QuantizeLinear"}
    for node in graph.node:
        quantize = takers.get(node.output[0]) if node.op_type == "Add" else None
        inputs = [makers.get(name) for name in node.input]
        if quantize and all(maker and maker.op_type == "DequantizeLinear" for maker in inputs):
            first, second, output = (_grid(each, constants) for each in (*inputs, quantize))
            scale = scale_off_ties(first, second, output)
            # In its place, so that all that reads the tensor has the new scale.
            tensor = constants[quantize.input[1]]
            tensor.CopyFrom(numpy_helper.from_array(np.full(tensor.dims, scale), tensor.name))


def scale_off_ties(first: Grid, second: Grid, output: Grid) -> np.float32:
    """Return the output's scale, or the first larger one with which no sum is near a tie."""
    sums = np.add.outer(first.scale * first.levels, second.scale * second.levels)
    # What lies beyond the smallest or the largest level becomes that level in every kernel.
    low, high = output.levels[0] - 1, output.levels[-1] + 1
    for growth in GROWTHS:
        scale = np.float32(output.scale * growth)
        places = sums / float(scale)
        _, exponent = np.frexp(max(first.scale, second.scale) / float(scale))
        near = np.abs(places - np.floor(places) - 0.5) <= MARGIN * 2.0 ** max(exponent, 0)
        if not (near & (places > low) & (places < high)).any():
            return scale
    return np.float32(output.scale)


def _grid(node: Any, constants: dict[str, Any]) -> Grid:
    """Return the grid of a QuantizeLinear or DequantizeLinear."""
    scale, zero_point = (values_of(constants[name]) for name in node.input[1:3])
    limits = np.iinfo(zero_point.dtype)
    return Grid(float(scale), np.arange(limits.min, limits.max + 1) - int(zero_point))
