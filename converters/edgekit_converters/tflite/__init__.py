"""TFLite: a float file by TensorFlow's converter, all others from it by the LiteRT quantizer.

Quantizing while converting is deprecated; converting to float once and quantizing
that file is advised (LiteRT's documentation, "model optimization"), and it is faster.

A writer takes nothing and returns the steps of the LiteRT quantizer (None: nothing is quantized).
What the quantizer does not know is stored in as many bits here: see `rest`.
"""

from __future__ import annotations

from edgekit_converters.recipes import FormatRecipe, Recipes

_OWN = f"{__name__}.quantize"
_LITERT = "litert_quantizer.recipe"

# The kernels that get one scale for each output channel.
_INT8 = dict.fromkeys(("Conv2D", "DepthwiseConv2dNative", "MatMul"), 127)
_INT4 = dict.fromkeys(("Conv2D", "MatMul"), 7)

RECIPES = Recipes(
    "TFLite",
    {
        "fp32": FormatRecipe(f"{_OWN}:fp32", "as trained", instead=()),
        "fp16": FormatRecipe(f"{_OWN}:fp16", "16-bit weights: half the size, no speed", instead=()),
        "int8-weights": FormatRecipe(
            f"{_LITERT}:weight_only_wi8_afp32",
            "8-bit weights, computing in float: a quarter of the size, no speed",
            instead=("fp16",),
            grid=_INT8,
        ),
        "int8-dynamic": FormatRecipe(
            f"{_LITERT}:dynamic_wi8_afp32",
            "8-bit weights, activations quantized while running: faster on plain nets, slower on "
            "depthwise ones",
            grid=_INT8,
        ),
        "int8": FormatRecipe(
            f"{_LITERT}:static_wi8_ai8",
            "weights and activations in 8 bits: a quarter of the size, and speed",
            instead=("int8-weights", "int16x8", "fp16"),
            needs_calibration=True,
            explained=True,
            integer_io=True,
            grid=_INT8,
        ),
        "int16x8": FormatRecipe(
            f"{_LITERT}:static_wi8_ai16",
            "16-bit activations, 8-bit weights: accuracy where int8 loses too much; slow",
            needs_calibration=True,
            grid=_INT8,
        ),
        "int4-dynamic": FormatRecipe(
            f"{_LITERT}:dynamic_wi4_afp32",
            "4-bit weights, activations quantized while running: an eighth of the size of what it "
            "covers",
            grid=_INT4,
        ),
    },
    reasons={},
)
