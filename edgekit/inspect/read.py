"""From a file to its graph."""

from __future__ import annotations

from pathlib import Path

from edgekit.inspect.model import Graph


def read_graph(path: Path, format_name: str) -> Graph:
    """Return the graph of an artifact of a format ("tflite", "onnx" or "tfjs").

    Nothing is run, and no engine is needed. Raises ArtifactError if the artifact is damaged,
    MissingExtraError if the package that reads its format is not installed.
    """
    if format_name == "tflite":
        from edgekit.inspect.tflite.read import read_tflite

        return read_tflite(path)
    if format_name == "onnx":
        from edgekit.inspect.onnx.read import read_onnx

        return read_onnx(path)
    from edgekit.inspect.tfjs.read import read_tfjs

    return read_tfjs(path)
