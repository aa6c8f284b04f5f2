"""The tables of a bench and of its outputs: one column per figure, for every kind of output."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from edgekit.results.fidelity import Fidelity
from edgekit.results.figures.figure import FIDELITY, Figure, is_counted
from edgekit.results.figures.naming import RowNames
from edgekit.results.figures.registry import by_group
from edgekit.text.quantities import WORDS
from edgekit.text.table import Column, filled, names_column, plain, verdict_style
from edgekit.text.units import Unit, pick_unit

if TYPE_CHECKING:
    from edgekit.results.results import Row


# It is beside fidelity's figures, though it is not one of them.
JUDGED_ON = "fidelity.samples"


def is_in_table(row: Row) -> bool:
    """Whether there is anything to show of a row except its reason."""
    return row.statistics is not None or row.fidelity is not None


def backends_of(rows: Iterable[Row]) -> set[str]:
    """Return where engines of a page computed."""
    return {row.backend for row in rows if row.backend}


def table_columns(rows: Sequence[Row], names: RowNames | None = None) -> list[Column]:
    """Return the columns that have a value in at least one of `rows`.

    names: what rows are called, if they are shown with others.
    """
    named = names or RowNames(rows)
    figures = [figure for figure in by_group() if figure.shown and not figure.shown.is_detail]
    artifacts = names_column([named.of(row) for row in rows])
    return filled([artifacts, *figure_columns(figures, rows)])


def fidelity_columns(rows: Sequence[Row]) -> list[Column]:
    """Return the columns that have a value: every figure of every output of `rows`."""
    names = RowNames(rows)
    # Figures of fidelity are read from rows: here from one for each output.
    judged = [
        (replace(row, fidelity=Fidelity({name: output})), name)
        for row in rows
        if row.fidelity
        for name, output in row.fidelity.outputs.items()
    ]
    figures = [one for one in by_group() if one.group is FIDELITY or one.key == JUDGED_ON]
    return filled(
        [
            names_column([names.of(row) for row, _ in judged]),
            Column("output", tuple(output for _, output in judged), "name", is_text=True),
            *figure_columns(figures, [row for row, _ in judged]),
        ]
    )


def figure_columns(figures: Sequence[Figure], rows: Sequence[Row]) -> Iterator[Column]:
    """Yield the columns of those figures that have one over `rows`."""
    interval = f"[{'min, max' if any(is_counted(row) for row in rows) else '95 %'}]"
    for figure in figures:
        title = figure.title(rows)
        if figure.shown and title:
            unit = _unit(figure, figures, rows)
            below = figure.quantity.heading(unit)
            if figure.shown.has_interval:
                below = f"{below} {interval}".strip()
            yield Column(
                f"{title}\n{below}" if below else title,
                tuple(_cell(figure, row, unit) for row in rows),
                figure.group.part,
                is_text=figure.quantity is WORDS,
                key=figure.key,
                style=verdict_style if figure.quantity is WORDS else plain,
            )


def _unit(figure: Figure, figures: Iterable[Figure], rows: Sequence[Row]) -> Unit:
    """Return the unit of a column: one for all of its scale, to be compared at a glance."""
    scale = figure.shown.scale if figure.shown else ""
    shown = (one for one in figures if one.shown and one.shown.scale == scale)
    alike = list(shown) if scale else [figure]
    numbers = (one.number(row) for one in alike for row in rows)
    return pick_unit((number for number in numbers if number is not None), figure.quantity.shown)


def _cell(figure: Figure, row: Row, unit: Unit) -> str:
    if figure.shown and figure.shown.cell:
        return figure.shown.cell(row)
    value = figure.value(row)
    if value is None or isinstance(value, str):
        return value or ""
    return figure.quantity.text(value / unit.size)
