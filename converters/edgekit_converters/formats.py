"""The formats, and what each module of a format offers.

A format module has

    NOT_AVAILABLE   quantization -> why this format has no such recipe
    ENGINE_OPTIONS  quantization -> options that the artifact's engine should be started with
    prepare(graph)  done once for each frozen graph
    write(prepared, quantization, path, calibration, io)   one artifact; returns notes
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from edgekit_converters.extra import convert_extra

if TYPE_CHECKING:
    from edgekit_converters.calibration import Calibration
    from edgekit_converters.graph.frozen import FrozenGraph


class FormatModule(Protocol):
    """What the pipeline calls of a format module."""

    NOT_AVAILABLE: Mapping[str, str]
    ENGINE_OPTIONS: Mapping[str, Mapping[str, Any]]

    def prepare(self, graph: FrozenGraph) -> Any:
        """Do what all artifacts of one frozen graph share."""

    def write(
        self,
        prepared: Any,
        quantization: str,
        path: Path,
        calibration: Calibration | None,
        io: str,
    ) -> tuple[str, ...]:
        """Write one artifact and return notes for the user."""


def format_module(name: str) -> FormatModule:
    """Import and return the module of a format. Raises MissingExtraError."""
    with convert_extra(f"Writing {name}"):
        return cast(FormatModule, importlib.import_module(f"edgekit_converters.{name}"))
