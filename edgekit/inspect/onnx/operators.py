"""The operators of ONNX, and onnxruntime's own: which multiply, and which inputs are what."""

from __future__ import annotations

OWN_DOMAINS = ("", "ai.onnx")
# onnxruntime's operators; in a file that it optimized, its own Conv for blocked layouts too.
CONTRIB_DOMAINS = ("com.microsoft", "com.microsoft.nchwc")

# Operators with a kernel: the places of the data and of the kernel among the inputs.
KERNELS = {
    "Conv": (0, 1),
    "FusedConv": (0, 1),
    "ConvInteger": (0, 1),
    "QLinearConv": (0, 3),
    "ConvTranspose": (0, 1),
    "MatMul": (0, 1),
    "Gemm": (0, 1),
    "FusedMatMul": (0, 1),
    "FusedGemm": (0, 1),
    "MatMulInteger": (0, 1),
    "MatMulIntegerToFloat": (0, 1),
    "DynamicQuantizeMatMul": (0, 1),
    "MatMulNBits": (0, 1),
    "QLinearMatMul": (0, 3),
    "QGemm": (0, 3),
    "LSTM": (0, 1),
    "GRU": (0, 1),
    "RNN": (0, 1),
}
CONVOLUTIONS = frozenset({"Conv", "FusedConv", "ConvInteger", "QLinearConv"})
RECURRENT = frozenset({"LSTM", "GRU", "RNN"})
# The places of scales and zero points among the inputs.
SCALES = {
    "QuantizeLinear": (1, 2),
    "DequantizeLinear": (1, 2),
    "ConvInteger": (2, 3),
    "MatMulInteger": (2, 3),
    "MatMulIntegerToFloat": (2, 3, 4, 5),
    "DynamicQuantizeMatMul": (2, 3),
    "MatMulNBits": (2, 3),
    "QLinearConv": (1, 2, 4, 5, 6, 7),
    "QLinearMatMul": (1, 2, 4, 5, 6, 7),
    "QGemm": (1, 2, 4, 5, 7, 8),
}
CONVERSIONS = frozenset({"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "Cast"})
# Operators that multiply, a number of times that shapes do not tell or that no rule here counts.
UNCOUNTED = frozenset({"If", "Loop", "Scan", "SequenceMap", "Einsum", "DeformConv", "Attention"})
# onnxruntime's own operators that multiply no kernels; the counts of all others are not known.
FREE_CONTRIB = frozenset(
    {
        *("QLinearAdd", "QLinearMul", "QLinearLeakyRelu", "QLinearSigmoid", "QLinearSoftmax"),
        *("QLinearAveragePool", "QLinearGlobalAveragePool", "QLinearConcat", "QLinearReduceMean"),
        *("ReorderInput", "ReorderOutput", "Gelu", "FastGelu", "BiasGelu", "QuickGelu"),
        *("QuantizeLinear", "DequantizeLinear"),
    }
)
