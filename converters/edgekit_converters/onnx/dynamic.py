"""int8-dynamic: dense layers in int8, their activations quantized at run time; tables in int8.

Convolutions stay float: onnxruntime's ConvInteger takes 11 times as long as its float
convolution (MobileNetV2: 67 ms against 6).
"""

from __future__ import annotations

import onnx
from onnxruntime.quantization import QuantType
from onnxruntime.quantization.onnx_quantizer import ONNXQuantizer
from onnxruntime.quantization.quant_utils import QuantizationMode, add_infer_metadata

from edgekit_converters.calibration import Calibration
from edgekit_converters.onnx.graph import graphs, layers, sort_nodes
from edgekit_converters.onnx.tables import store_tables
from edgekit_runtimes.errors import NotAvailableError


def quantize(
    model: onnx.ModelProto, _calibration: Calibration | None
) -> tuple[onnx.ModelProto, tuple[str, ...]]:
    """Return the model with int8 dense layers, by onnxruntime's quantizer, and int8 tables.

    Weights of dense layers use 7 of the 8 bits, as in static.py: x86 without VNNI saturates
    otherwise. Raises NotAvailableError where there is neither a dense layer nor a table.
    """
    total = len(list(layers(model.graph)))
    # Without this mark the quantizer writes the model to a file and reads it back.
    add_infer_metadata(model)
    quantizer = ONNXQuantizer(
        model,
        per_channel=True,
        reduce_range=True,
        mode=QuantizationMode.IntegerOps,
        static=False,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QUInt8,
        tensors_range=None,
        nodes_to_quantize=[],
        nodes_to_exclude=[],
        op_types_to_quantize=["MatMul"],
        extra_options={"MatMulConstBOnly": True, "EnableSubgraph": True},
    )
    quantizer.quantize_model()
    quantized: onnx.ModelProto = quantizer.model.model
    sort_nodes(quantized.graph)
    covered = sum(
        node.op_type == "MatMulInteger" for graph in graphs(quantized.graph) for node in graph.node
    )
    return quantized, coverage_notes(covered, total, store_tables(quantized))


def coverage_notes(covered: int, total: int, tables: int) -> tuple[str, ...]:
    """Say how many of the model's layers were quantized, where not all were.

    tables: how many lookups read integers. Raises NotAvailableError where nothing was quantized.
    """
    if not covered and not tables:
        raise NotAvailableError(
            "nothing to quantize: it covers dense layers (MatMul, Gemm) and tables of Gather, and "
            "the model has none that is large enough"
        )
    if covered == total:
        return ()
    return (f"only dense layers (MatMul, Gemm) were quantized: {covered} of {total} layers",)
