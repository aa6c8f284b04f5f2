"""The last layer of a statically quantized model gives its results as floats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set as AbstractSet
from typing import Any

from edgekit_converters.onnx.graph import inputs_of

DENSE_OPS = frozenset({"MatMul", "Gemm"})
ACTIVATION_OPS = frozenset({"Softmax", "Sigmoid"})


def keep_head_float(graph: Any, clipped: AbstractSet[str]) -> None:
    """Remove QuantizeLinear and DequantizeLinear between a last dense layer and its output.

    The layer still computes with integers, and in the same time, but what it gives is neither
    rounded to 256 steps nor cut off at the largest value that calibration saw: outputs are where
    a regression meets values that it never met before. A Softmax or Sigmoid behind the layer
    is freed with it; a layer with a Relu is not: the quantizer leaves that to the range of the
    integers. Last convolutions stay quantized: onnxruntime has no integer kernel with a
    float result for them.

    clipped: the tensors that a Relu or Clip made before the model was quantized.
    """
    for output in graph.output:
        makers = {name: node for node in graph.node for name in node.output}
        reads = Counter(name for node in graph.node for name in inputs_of(node))
        pairs = _pairs_before(output.name, makers, reads, clipped)
        for tensor, quantize, dequantize in pairs:
            makers[quantize.input[0]].output[0] = tensor
            graph.node.remove(quantize)
            graph.node.remove(dequantize)


def _pairs_before(
    tensor: str, makers: dict[str, Any], reads: Counter[str], clipped: AbstractSet[str]
) -> list[tuple[str, Any, Any]]:
    """Return the pairs from an output back to a dense layer, each with the tensor it makes.

    An empty list where there is no dense layer, or where something else reads from between.
    """
    pairs = []
    while (dequantize := makers.get(tensor)) and dequantize.op_type == "DequantizeLinear":
        quantize = makers.get(dequantize.input[0])
        if quantize is None or reads[dequantize.input[0]] > 1 or reads[quantize.input[0]] > 1:
            return []
        if clipped & {tensor, quantize.input[0]}:
            return []
        pairs.append((tensor, quantize, dequantize))
        layer = makers.get(quantize.input[0])
        if layer is None or layer.op_type not in DENSE_OPS | ACTIVATION_OPS:
            return []
        if layer.op_type in DENSE_OPS:
            return pairs
        tensor = layer.input[0]
    return []
