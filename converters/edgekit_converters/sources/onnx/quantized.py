"""Whether an ONNX model is quantized already."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgekit_converters.onnx.graph import graphs
from edgekit_runtimes.errors import SourceError

# Of the standard, and of onnxruntime.
QUANTIZED_OPS = frozenset(
    {
        *("ConvInteger", "DequantizeLinear", "DynamicQuantizeLinear", "DynamicQuantizeLSTM"),
        *("DynamicQuantizeMatMul", "GatherBlockQuantized", "MatMulBnb4", "MatMulInteger"),
        *("MatMulIntegerToFloat", "MatMulNBits", "QAttention", "QEmbedLayerNormalization", "QGemm"),
        *("QLinearAdd", "QLinearAveragePool", "QLinearConcat", "QLinearConv", "QLinearMatMul"),
        *("QLinearGlobalAveragePool", "QLinearLeakyRelu", "QLinearMul", "QLinearSigmoid"),
        *("QLinearSoftmax", "QLinearWhere", "QMoE", "QuantizeLinear"),
    }
)


def is_quantized(model: Any) -> bool:
    """Return whether a model computes with quantized numbers, or stores its weights so."""
    bodies = [graph.node for graph in graphs(model.graph)]
    bodies += [function.node for function in model.functions]
    return any(node.op_type in QUANTIZED_OPS for body in bodies for node in body)


def refuse_quantized(model: Any, path: Path) -> None:
    """Raise SourceError where a model is quantized."""
    if is_quantized(model):
        raise SourceError(
            f"{path} is quantized already: bring the float model that it was made of. Each format "
            "is quantized from that."
        )
