"""TF.js: graph models for `tf.loadGraphModel`, written without the `tensorflowjs` package.

The format is what its own loader, @tensorflow/tfjs-converter, reads; nothing else documents it.

A writer takes one float32 weight and returns it as it is stored, with what the weights manifest
says about its quantization (None: nothing).
"""

from __future__ import annotations

from edgekit_converters.recipes import FormatRecipe, Recipes

_WRITERS = f"{__name__}.weights"
_STORAGE_ONLY = (
    "TF.js stores quantized weights and computes in float32: it does not have {what}. "
    "fp16 and int8-weights make the download smaller."
)

RECIPES = Recipes(
    "TF.js",
    {
        "fp32": FormatRecipe(f"{_WRITERS}:as_trained", "as trained", instead=()),
        "fp16": FormatRecipe(
            f"{_WRITERS}:as_float16",
            "stored in 16 bits: half the download, no speed",
            instead=(),
        ),
        "int8-weights": FormatRecipe(
            f"{_WRITERS}:as_uint8",
            "stored in 8 bits: a quarter of the download, no speed",
            instead=("fp16",),
        ),
    },
    reasons={
        "int8-dynamic": _STORAGE_ONLY.format(what="int8 arithmetic"),
        "int8": _STORAGE_ONLY.format(what="int8 arithmetic"),
        "int16x8": _STORAGE_ONLY.format(what="integer arithmetic"),
        "int4-dynamic": _STORAGE_ONLY.format(what="4-bit storage"),
    },
)
