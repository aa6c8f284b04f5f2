"""ONNX artifacts from an ONNX file itself, where a frozen graph cannot hold what it computes with.

Everything else is written from the graph: in onnxruntime it takes .95 to 1.02 of the file's time,
and quantizers know what our writer makes. An LSTM that was unrolled takes 4 to 11 times as long.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx
from onnx import version_converter

from edgekit_converters.onnx.float_model.export import finish
from edgekit_converters.onnx.graph import graphs
from edgekit_converters.sources.onnx.importing import fix_inputs
from edgekit_converters.sources.onnx.read import opset_of
from edgekit_runtimes.errors import ConversionError, map_exceptions
from edgekit_runtimes.tensors import TensorSpec

# One operator of ONNX, for which onnxruntime has a kernel, and many of TensorFlow.
KEPT = frozenset(
    {"Attention", "GRU", "GroupQueryAttention", "LSTM", "MultiHeadAttention", "RNN"}
    | {"Loop", "NonMaxSuppression", "Scan"}
)

# The quantizers take 13 and newer. Another order fails: first the opset, then the rest.
LEAST_OPSET, WRITTEN_OPSET, WRITTEN_IR = 13, 17, 8

# What only quantized models compute with.
QUANTIZED = frozenset(
    {"ConvInteger", "DequantizeLinear", "DynamicQuantizeLinear", "MatMulInteger", "MatMulNBits"}
    | {"DynamicQuantizeMatMul", "MatMulIntegerToFloat", "QAttention", "QGemm", "QuantizeLinear"}
)
QUANTIZED_PREFIX = "QLinear"


def is_quantized(model: Any) -> bool:
    """Return whether a model computes with integers that stand for real numbers."""
    return any(op in QUANTIZED or op.startswith(QUANTIZED_PREFIX) for op in _counts(model))


def kept_operators(model: Any) -> str:
    """Return what a frozen graph has many operators for, with counts ("LSTM (2)"); "" if none."""
    counts = _counts(model)
    return ", ".join(f"{op} ({counts[op]})" for op in sorted(counts.keys() & KEPT))


def own_model(
    model: Any, inputs: tuple[TensorSpec, ...], fixed: Mapping[str, Any], path: Path
) -> onnx.ModelProto:
    """Return a file's model as our writer prepares one.

    inputs: with the sizes that the user gave, in the file's order. fixed: inputs that become
    constants. Raises ConversionError.
    """
    own = onnx.ModelProto()
    own.CopyFrom(model)
    fix_inputs(own, fixed, path)
    with map_exceptions(f"{path} cannot be prepared", ConversionError):
        if opset_of(own) < LEAST_OPSET:
            own = version_converter.convert_version(own, WRITTEN_OPSET)
            own.ir_version = WRITTEN_IR
        specs = {spec.name: spec for spec in inputs}
        for entry in own.graph.input:
            if entry.name in specs:
                sizes = entry.type.tensor_type.shape.dim
                for dim, size in zip(sizes, specs[entry.name].shape, strict=True):
                    if size is not None and not dim.HasField("dim_value"):
                        dim.dim_value = size
        del own.graph.value_info[:]
        return finish(own)


def _counts(model: Any) -> Counter[str]:
    return Counter(node.op_type for graph in graphs(model.graph) for node in graph.node)
