"""The formats: what each declares, and what writes its artifacts.

A format is a package with RECIPES in its `__init__`, which imports nothing heavy, and a module
`write` with

    prepare(graph)                                       done once for each frozen graph
    write(prepared, quantization, path, calibration, io, effort)
                                                         one artifact; returns notes
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from edgekit_converters import onnx, tfjs, tflite
from edgekit_converters.extra import importing_extra
from edgekit_converters.memory import give_back_memory
from edgekit_converters.recipes import Recipes

if TYPE_CHECKING:
    from edgekit_converters.calibration import Calibration
    from edgekit_converters.effort import Effort
    from edgekit_converters.graph.frozen import FrozenGraph
    from edgekit_converters.mixed.damage import Layer

RECIPES: Mapping[str, Recipes] = {
    "tflite": tflite.RECIPES,
    "tfjs": tfjs.RECIPES,
    "onnx": onnx.RECIPES,
}

# Every quantization that a format has, in the order of a table.
QUANTIZATIONS: tuple[str, ...] = tuple(
    dict.fromkeys(name for recipes in RECIPES.values() for name in recipes)
)


class FormatWriter(Protocol):
    """What the pipeline calls in a format.

    One that has a recipe which FormatRecipe.explained says has `explain` as well.
    """

    def prepare(self, graph: FrozenGraph) -> Any:
        """Do what all artifacts of one frozen graph share."""

    def write(
        self,
        prepared: Any,
        quantization: str,
        path: Path,
        calibration: Calibration | None,
        io: str,
        effort: Effort,
    ) -> tuple[str, ...]:
        """Write one artifact and return notes for the user."""

    def explain(
        self, prepared: Any, quantization: str, path: Path, calibration: Calibration
    ) -> tuple[Layer, ...]:
        """Return what each layer of an artifact does to its outputs, the worst first."""


def format_writer(name: str) -> FormatWriter:
    """Import and return what writes a format. Raises MissingExtraError."""
    with importing_extra(f"Writing {name}"):
        module = importlib.import_module(f"edgekit_converters.{name}.write")
    return _Frugal(cast(FormatWriter, module))


class _Frugal:
    """A writer that keeps no memory from one step to the next."""

    def __init__(self, writer: FormatWriter) -> None:
        self._writer = writer

    def prepare(self, graph: FrozenGraph) -> Any:
        try:
            return self._writer.prepare(graph)
        finally:
            give_back_memory()

    def write(
        self,
        prepared: Any,
        quantization: str,
        path: Path,
        calibration: Calibration | None,
        io: str,
        effort: Effort,
    ) -> tuple[str, ...]:
        try:
            return self._writer.write(prepared, quantization, path, calibration, io, effort)
        finally:
            give_back_memory()

    def explain(
        self, prepared: Any, quantization: str, path: Path, calibration: Calibration
    ) -> tuple[Layer, ...]:
        try:
            return self._writer.explain(prepared, quantization, path, calibration)
        finally:
            give_back_memory()
