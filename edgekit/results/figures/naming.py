"""Words that say what a row is about, and a unique name for each row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from edgekit.results.figures.figure import NAME, Figure, Kind, Shown, facts, value_at
from edgekit.text.quantities import WORDS

if TYPE_CHECKING:
    from edgekit.results.results import Row

WORDS_OF_NAMES = Kind(NAME, WORDS)


class RowNames:
    """What rows are called: by their artifact, with their engine if several ran it.

    rows: all that are shown together, as those of a results file.
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        engines: dict[tuple[str, str], set[str]] = {}
        for row in rows:
            if row.engine:
                engines.setdefault((row.device, row.format), set()).add(row.engine)
        self._several = {place for place, names in engines.items() if len(names) > 1}

    def of(self, row: Row) -> str:
        """Return "tflite/int8", or "tflite/int8 (litert)" where a device has several engines."""
        is_clear = (row.device, row.format) not in self._several or not row.engine
        return row.id if is_clear else f"{row.id} ({row.engine})"


def _back_end_title(rows: Iterable[Row]) -> str:
    """Return the heading if rows differ in it; else the heading of the table names it."""
    rows = tuple(rows)
    return "" if rows and len({row.backend for row in rows if row.backend}) < 2 else "back end"


FIGURES = (
    *facts(
        WORDS_OF_NAMES,
        id=(value_at("id"), "The artifact, as `tflite/int8`, or `original`."),
        format=(value_at("format"), "Its format; `source` for the original."),
        recipe=(value_at("recipe"), "Its recipe; `original` for the original."),
        engine=(value_at("engine"), "The engine that ran it."),
    ),
    Figure(
        "backend",
        "In a page, where the engine computed (`webgl`, `wasm`, …). A table names it where its "
        "rows differ in it.",
        WORDS_OF_NAMES,
        lambda row: row.backend,
        "backend",
        Shown(_back_end_title),
    ),
    *facts(
        WORDS_OF_NAMES,
        status=(value_at("status"), "`ok`, or what went wrong."),
        reason=(value_at("reason"), "Why, where the status is not `ok`."),
    ),
)
