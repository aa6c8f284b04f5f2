"""int4-dynamic: dense layers with 4-bit weights in blocks, activations quantized at run time.

Written here: onnxruntime's own tool for it needs one more distribution (onnx-ir) and turns on
the log of the whole process when it is imported.
"""

from __future__ import annotations

import onnx
from onnx import numpy_helper
from onnxruntime.quantization.onnx_model import ONNXModel

from edgekit_converters.calibration import Calibration
from edgekit_converters.integers import BITS, BLOCK_SIZE, asymmetric_int4
from edgekit_converters.onnx.dynamic import coverage_notes
from edgekit_converters.onnx.graph import (
    drop_unread_constants,
    layers,
    use_contrib_ops,
    values_of,
)
from edgekit_converters.onnx.tables import store_tables

# The value of MatMulNBits' attribute accuracy_level that quantizes the activations to int8.
# https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
INT8_ACTIVATIONS = 4


def quantize(
    model: onnx.ModelProto, _calibration: Calibration | None
) -> tuple[onnx.ModelProto, tuple[str, ...]]:
    """Turn each dense layer into a MatMulNBits and return notes. Convolutions stay float.

    Tables of Gather take 4 bits too. Raises NotAvailableError where there is neither.
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
    return model, coverage_notes(len(dense), len(found), store_tables(model, BITS))
