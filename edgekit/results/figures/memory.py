"""The figure of memory."""

from __future__ import annotations

from edgekit.results.figures.figure import MEMORY, Compared, Figure, Gated, Kind, Shown
from edgekit.text.quantities import BYTES

FIGURES = (
    Figure(
        "memory",
        "The most memory (resident set) that the process with this model alone had, with Python "
        "and the engine in it. A page does not know it. A terminal shows it if there is room.",
        Kind(MEMORY, BYTES, "less"),
        lambda row: row.peak_memory_bytes,
        "peak_memory_bytes",
        Shown("memory"),
        Gated(origin="a page does not know it, and results of older versions do not hold it"),
        Compared("memory"),
    ),
)
