"""Load ONNX files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edgekit_converters.sources.onnx.importing import ImportOptions, import_model
from edgekit_converters.sources.onnx.read import read
from edgekit_converters.sources.source import Source, SourceOptions
from edgekit_runtimes.engines import onnxruntime
from edgekit_runtimes.tensors import Array, Arrays


def load(path: Path, options: SourceOptions) -> Source:
    """Load an ONNX file. The original is onnxruntime on the file itself.

    Raises SourceError where it cannot be read or taken over.
    """
    imported = import_model(
        read(path),
        ImportOptions(
            fixed=options.fixed,
            layout=options.layout,
            input_shapes=options.input_shapes,
            path=path,
        ),
    )
    return Source(
        path=path,
        graph=imported.graph,
        run=_original(path, options.fixed, imported.axes),
        notes=imported.notes,
        axes=imported.axes,
    )


def _original(path: Path, fixed: Mapping[str, Any], axes: Mapping[str, tuple[int, ...]]) -> Any:
    """Return what runs the file on arrays in the graph's order, and answers in it.

    The session is made at the first call: a bundle that is continued needs none.
    """
    made: list[Any] = []

    def run(arrays: Mapping[str, object]) -> Arrays:
        if not made:
            made.append(onnxruntime.load(path, {"fixed": fixed}))
        given = {name: _turned(np.asarray(x), axes.get(name)) for name, x in arrays.items()}
        found = made[0].run(given)
        return {
            name: _turned(x, tuple(np.argsort(axes[name])) if name in axes else None)
            for name, x in found.items()
        }

    return run


def _turned(array: Array, axes: tuple[int, ...] | None) -> Array:
    return array if axes is None else np.asarray(array.transpose(axes), order="C")
