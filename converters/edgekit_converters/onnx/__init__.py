"""ONNX: the float model by tf2onnx, every other one from it, in memory.

Static int8 and int8-dynamic are onnxruntime's own quantizers; what only stores weights otherwise
(int8-weights, int4-dynamic, lookup tables) is written here.

A writer takes a float model, which it may change, and calibration, and returns the artifact's
model and notes for the user.
"""

from __future__ import annotations

from edgekit_converters.recipes import FormatRecipe, Recipes

# onnxruntime's reduce_range: see static.py.
_SEVEN_BITS = 64

RECIPES = Recipes(
    "ONNX",
    {
        "fp32": FormatRecipe(
            f"{__name__}.float_model.export:as_prepared", "as trained", instead=()
        ),
        "fp16": FormatRecipe(
            f"{__name__}.half:quantize",
            "weights and computing in 16 bits: half the size, slower on most CPUs",
            instead=(),
        ),
        "int8-weights": FormatRecipe(
            f"{__name__}.weights:quantize",
            "8-bit weights, computing in float: a quarter of the size, no speed",
            instead=("fp16",),
            # Without it onnxruntime computes the DequantizeLinear of each kernel in every run:
            # twice the time of fp32 on MobileNetV2. With it they are folded once, at load, and the
            # time is that of fp32.
            engine_options={"disable_quant_qdq": True},
        ),
        "int8-dynamic": FormatRecipe(
            f"{__name__}.dynamic:quantize",
            "dense layers and lookup tables only: 8-bit weights, activations quantized while "
            "running",
            grid={"MatMul": _SEVEN_BITS},
        ),
        "int8": FormatRecipe(
            f"{__name__}.static.tried:quantize",
            "weights and activations in 8 bits: a quarter of the size, and speed on CPUs; slower "
            "in browsers",
            needs_calibration=True,
            explained=True,
            grid=dict.fromkeys(("Conv2D", "DepthwiseConv2dNative", "MatMul"), _SEVEN_BITS),
        ),
        "int4-dynamic": FormatRecipe(
            f"{__name__}.int4:quantize",
            "dense layers and lookup tables only: 4-bit weights, activations quantized while "
            "running: an eighth of the size of what it covers",
        ),
    },
    reasons={
        "int16x8": "onnxruntime has no kernels for 16-bit activations with 8-bit weights",
    },
    keeps_source_axes=True,
)
