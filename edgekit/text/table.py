"""The model of a table: columns of text with alignment and colours, for every output."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Style = Literal["", "green", "red"]

NAMES = "names"

GREEN = {"faster", "fewer", "better", "held"}
RED = {"slower", "more", "worse", "worse: NaN", "broken"}


def plain(_: str) -> Style:
    """Return no colour."""
    return ""


def verdict_style(cell: str) -> Style:
    """Return the colour of a verdict, which may also say by how much."""
    word = cell.partition(" by ")[0].strip()
    return "green" if word in GREEN else "red" if word in RED else ""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    header: with line breaks; the last line is right above the cells.
    cells: one per row, "" where there is no value.
    part: which table it goes to if one would be too wide.
    is_text: aligned on the left.
    key: the figure that it shows; NAMES for what each row is about.
    style: returns the colour of a cell.
    """

    header: str
    cells: tuple[str, ...]
    part: str = ""
    is_text: bool = False
    key: str = ""
    style: Callable[[str], Style] = plain


def names_column(cells: Sequence[str], header: str = "artifact") -> Column:
    """Return the column that says what each row is about."""
    return Column(header, tuple(cells), "name", is_text=True, key=NAMES)


def filled(columns: Sequence[Column]) -> list[Column]:
    """Return the columns that have a value in at least one row."""
    return [column for column in columns if any(column.cells)]


def lines_of(columns: Sequence[Column]) -> Iterator[tuple[str, ...]]:
    """Yield the cells of each row."""
    return zip(*(column.cells for column in columns), strict=True)
