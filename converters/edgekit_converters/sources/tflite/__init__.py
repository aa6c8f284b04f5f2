"""TFLite files in floats, as TFLiteConverter, LiteRT Torch and onnx2tf write them."""

from __future__ import annotations

from edgekit_converters.sources.source import SourceKind

SOURCES = (
    SourceKind(
        name="tflite",
        title=".tflite files",
        description="in float32 or float16, of any converter",
        loader=f"{__name__}.load:load",
        suffixes=(".tflite",),
        options=("input_shapes", "signature"),
        extra="convert",
        engine="edgekit_runtimes.engines.litert",
    ),
)
