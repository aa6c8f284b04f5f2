"""TFLite: a float file by TensorFlow's converter, all others from it by the LiteRT quantizer.

Quantizing while converting is deprecated by its makers; converting to float once and quantizing
that file is what they advise (LiteRT's documentation, "model optimization"), and it is quicker.

A writer takes the float file, calibration and io, and returns the artifact's bytes.
"""

from __future__ import annotations

from edgekit_converters.recipes import FormatRecipe, Recipes

_WRITERS = f"{__name__}.quantize"

RECIPES = Recipes(
    "TFLite",
    {
        "fp32": FormatRecipe(
            f"{_WRITERS}:fp32", "as trained", advice="this should not happen, please report it"
        ),
        "fp16": FormatRecipe(
            f"{_WRITERS}:fp16", "16-bit weights: half the size, no speed", advice="stay with fp32"
        ),
        "int8-weights": FormatRecipe(
            f"{_WRITERS}:int8_weights",
            "8-bit weights, computing in float: a quarter of the size, no speed",
            advice="try fp16",
        ),
        "int8-dynamic": FormatRecipe(
            f"{_WRITERS}:int8_dynamic",
            "8-bit weights, activations quantized while running: faster on plain nets, slower on "
            "depthwise ones",
        ),
        "int8": FormatRecipe(
            f"{_WRITERS}:int8",
            "weights and activations in 8 bits: a quarter of the size, and speed",
            advice="calibrate with more samples that look like real inputs, or try int8-weights "
            "or int16x8",
            needs_calibration=True,
            integer_io=True,
        ),
        "int16x8": FormatRecipe(
            f"{_WRITERS}:int16x8",
            "16-bit activations, 8-bit weights: accuracy where int8 loses too much; slow",
            advice="calibrate with more samples that look like real inputs, or try int8-weights",
            needs_calibration=True,
        ),
        "int4-dynamic": FormatRecipe(
            f"{_WRITERS}:int4_dynamic",
            "4-bit weights, activations quantized while running: an eighth of the size of what it "
            "covers",
        ),
    },
    reasons={},
)
