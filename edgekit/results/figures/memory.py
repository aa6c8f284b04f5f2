"""The figure of memory."""

from __future__ import annotations

from edgekit.results.figures.figure import MEMORY, Figure
from edgekit.text.quantities import BYTES

FIGURES = (
    Figure(
        "memory",
        "The most memory (resident set) that the process with this model alone had, with Python "
        "and the engine in it. A browser does not tell. A terminal shows it where there is room.",
        MEMORY,
        BYTES,
        lambda row: row.peak_memory_bytes,
        "less",
        title="memory",
        csv="peak_memory_bytes",
        is_gated=True,
        origin="a page cannot tell, and results of older versions do not hold it",
        compared_as="memory",
    ),
)
