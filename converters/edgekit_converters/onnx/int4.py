"""int4-dynamic: dense layers with 4-bit weights in blocks, activations quantized at run time.

Written here: onnxruntime's own tool for it needs one more distribution (onnx-ir) and turns on
the log of the whole process when it is imported.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper
from onnxruntime.quantization.onnx_model import ONNXModel

from edgekit_converters.calibration import Calibration
from edgekit_converters.onnx.dynamic import coverage_notes
from edgekit_converters.onnx.graph import (
    drop_unread_constants,
    layers,
    use_contrib_ops,
    values_of,
)
from edgekit_runtimes.tensors import Array

# Weights that share a scale, along the inputs of a layer. 32 is the finest that is common
# (llama.cpp's Q4 formats too); a scale and a zero point add 1.1 bits to each weight.
BLOCK_SIZE = 32
BITS = 4
LEVELS = 2**BITS - 1

# The value of MatMulNBits' attribute accuracy_level that quantizes the activations to int8.
# https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
INT8_ACTIVATIONS = 4


def quantize(
    model: onnx.ModelProto, _calibration: Calibration | None
) -> tuple[onnx.ModelProto, tuple[str, ...]]:
    """Turn each dense layer into a MatMulNBits and return notes. Convolutions stay float.

    Raises NotAvailableError where there is no dense layer.
    """
    ONNXModel(model).replace_gemm_with_matmul()
    found = list(layers(model.graph))
    # MatMulNBits takes matrices, not stacks of them.
    dense = [
        layer for layer in found if layer.node.op_type == "MatMul" and len(layer.kernel.dims) == 2
    ]
    parts: dict[tuple[int, str], list[str]] = {}
    for layer in dense:
        name = layer.kernel.name
        key = (id(layer.owner), name)
        if key not in parts:
            names = (f"{name}_int4", f"{name}_scales", f"{name}_zero_points")
            arrays = asymmetric_int4(values_of(layer.kernel))
            layer.owner.initializer.extend(map(numpy_helper.from_array, arrays, names))
            parts[key] = list(names)
        inputs, outputs = layer.kernel.dims
        layer.node.CopyFrom(
            onnx.helper.make_node(
                "MatMulNBits",
                [layer.node.input[0], *parts[key]],
                list(layer.node.output),
                name=layer.node.name,
                domain="com.microsoft",
                K=inputs,
                N=outputs,
                bits=BITS,
                block_size=BLOCK_SIZE,
                accuracy_level=INT8_ACTIVATIONS,
            )
        )
    use_contrib_ops(model)
    drop_unread_constants(model.graph)
    return model, coverage_notes(len(dense), len(found))


def asymmetric_int4(kernel: Array) -> tuple[Array, Array, Array]:
    """Return what MatMulNBits takes of a kernel [inputs, outputs]: weights, scales, zero points.

    weights: uint8 [outputs, blocks, BLOCK_SIZE / 2], two weights per byte, the first in the low
    half. scales: float32 [outputs, blocks]. zero points: uint8 [outputs, blocks / 2], packed so.
    """
    inputs, outputs = kernel.shape
    count = -(-inputs // BLOCK_SIZE)
    padded = np.zeros((outputs, count * BLOCK_SIZE), np.float32)
    padded[:, :inputs] = kernel.T
    values = padded.reshape(outputs, count, BLOCK_SIZE)
    # Zero is among the values of each block, so that pruned weights stay zero.
    low = np.minimum(values.min(axis=2, keepdims=True), 0)
    high = np.maximum(values.max(axis=2, keepdims=True), 0)
    scales = np.where(high > low, (high - low) / LEVELS, 1).astype(np.float32)
    zero_points = np.clip(np.rint(-low / scales), 0, LEVELS)
    integers = np.clip(np.rint(values / scales) + zero_points, 0, LEVELS).astype(np.uint8)
    return (
        _pack(integers),
        scales.reshape(outputs, count),
        _pack(zero_points.reshape(outputs, count).astype(np.uint8)),
    )


def _pack(nibbles: Array) -> Array:
    """Return two values per byte along the last axis, which is padded to an even length."""
    if nibbles.shape[-1] % 2:
        nibbles = np.pad(nibbles, [(0, 0)] * (nibbles.ndim - 1) + [(0, 1)])
    packed: Array = nibbles[..., ::2] | (nibbles[..., 1::2] << BITS)
    return packed
