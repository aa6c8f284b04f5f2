"""TF.js: graph models for `tf.loadGraphModel`, written without the `tensorflowjs` package.

    prepared = prepare(graph)                       folded, fused; once for each frozen graph
    write(prepared, "fp16", folder)                 model.json and its shards
    run(folder, {"image": array})["digit"]          read back and run in TensorFlow

The format is what its own loader, @tensorflow/tfjs-converter, reads; there is no other document.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgekit_converters.tfjs.prepare import prepare
from edgekit_converters.tfjs.read import load, run
from edgekit_converters.tfjs.write import write

__all__ = ["ENGINE_OPTIONS", "NOT_AVAILABLE", "load", "prepare", "run", "write"]

_STORAGE_ONLY = (
    "TF.js stores quantized weights and computes in float32: it has no {what}. "
    "fp16 and int8-weights make the download smaller."
)

# Quantization -> why the format has no such recipe.
NOT_AVAILABLE: Mapping[str, str] = {
    "int8-dynamic": _STORAGE_ONLY.format(what="int8 arithmetic"),
    "int8": _STORAGE_ONLY.format(what="int8 arithmetic"),
    "int16x8": _STORAGE_ONLY.format(what="integer arithmetic"),
    "int4-dynamic": _STORAGE_ONLY.format(what="4-bit storage"),
}
ENGINE_OPTIONS: Mapping[str, Mapping[str, Any]] = {}
