"""What is measured: one artifact, with the few facts that measuring needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgekit.inspect.model import Graph
from edgekit.results.damage import Damage
from edgekit.results.plan import REFERENCE_RECIPE


@dataclass(frozen=True)
class Subject:
    """An artifact to measure.

    id: how results name it ("tflite/int8").
    bytes: its size on disk.
    wire_bytes: its compressed size, by compression ("gzip", "brotli").
    engine_options: what its engine is to be told when it loads the artifact.
    graph: what is in it; None if it was not read. damage: as the bundle has it.
    """

    id: str
    format: str
    recipe: str
    path: Path
    bytes: int
    wire_bytes: Mapping[str, int] = field(default_factory=dict)
    engine_options: Mapping[str, Any] = field(default_factory=dict)
    graph: Graph | None = None
    damage: Damage | None = None

    @property
    def is_reference(self) -> bool:
        """Whether the other artifacts of its format are compared with it."""
        return self.recipe == REFERENCE_RECIPE
