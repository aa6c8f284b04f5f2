"""ONNX files, from whatever wrote them."""

from __future__ import annotations

from edgekit_converters.sources.source import SourceKind

SOURCES = (
    SourceKind(
        name="onnx",
        title=".onnx files",
        description="what torch.onnx, tf2onnx and others write",
        loader=f"{__name__}.load:load",
        suffixes=(".onnx",),
        options=("input_shapes", "fixed", "layout"),
        extra="convert",
        engine="edgekit_runtimes.engines.onnxruntime",
    ),
)
