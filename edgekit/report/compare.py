"""What changed between two results: a table a device, and what stands beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Literal

from edgekit.report.columns import Column, cell_style, ratio_cell
from edgekit.report.lines import heading
from edgekit.text.units import (
    BYTE_UNITS,
    INSTRUCTION_UNITS,
    TIME_UNITS,
    Unit,
    percent,
    pick_unit,
    significant,
)

if TYPE_CHECKING:
    from rich.console import Console

    from edgekit.compare.change import Change
    from edgekit.compare.changes import Comparison, RowChange, State

# Of rows that are not simply compared, what became of them.
STATES: dict[State, str] = {
    "appeared": "only in the new results",
    "vanished": "only in the old results",
    "fails": "fails now",
    "works again": "failed before",
    "not available": "not available now",
    "available again": "not available before",
}
UNMEASURED = ("same",)


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Print a table a device, then rows that came or went, then notes."""
    from rich.table import Table
    from rich.text import Text

    for device in devices(comparison):
        title = heading(device, comparison.new)
        console.print(title, style="bold", markup=False, highlight=False, soft_wrap=True)
        columns = change_columns([row for row in comparison.rows if row.device == device])
        if columns:
            table = Table(box=None, pad_edge=False, header_style="bold")
            height = max(column.header.count("\n") for column in columns)
            for column in columns:
                justify: Literal["left", "right"] = "left" if column.is_text else "right"
                header = "\n" * (height - column.header.count("\n")) + column.header
                table.add_column(Text(header), justify=justify, no_wrap=True)
            for cells in zip(*(column.cells for column in columns), strict=True):
                table.add_row(*(Text(cell, style=cell_style(cell)) for cell in cells))
            console.print(table, crop=False)
        else:
            console.print("no row was measured both times", highlight=False)
        console.print()
    for line in change_notes(comparison):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def devices(comparison: Comparison) -> list[str]:
    """Return the devices that both results have."""
    before, after = ({row.device for row in run.rows} for run in (comparison.old, comparison.new))
    return [
        device
        for device in dict.fromkeys(row.device for row in comparison.rows)
        if device in before and device in after
    ]


def change_columns(rows: Sequence[RowChange]) -> list[Column]:
    """Return the columns that have a value in at least one of `rows`; none without any change."""
    compared = [row for row in rows if row.changes]
    if not compared:
        return []
    columns = [
        Column("artifact", tuple(row.id for row in compared), "name", is_text=True),
        _sizes(compared, "size", "size"),
        _sizes(compared, "wire.brotli", "brotli"),
        _in_unit(compared, "latency", "median", TIME_UNITS),
        _ratios(compared, "latency", "now / before\n[95 %]"),
        _in_unit(compared, "instructions", "fewest", INSTRUCTION_UNITS),
        Column("verdict", tuple(_verdict(row) for row in compared), "time", is_text=True),
        _cells(compared, "ratio", "ratio\nto fp32", significant),
        _cells(compared, "fidelity.top1", "top-1\n%", percent),
        _cells(compared, "fidelity.sqnr", "SQNR\ndB", _decibels),
        _judged(compared, "accuracy", "accuracy\n%", percent),
        _judged(compared, "accuracy.mae", "MAE", significant),
        _judged(compared, "accuracy.rmse", "RMSE", significant),
        _judged(compared, "accuracy.metric", "metric", significant),
    ]
    return [column for column in columns if any(column.cells)]


def change_notes(comparison: Comparison) -> list[str]:
    """Return the lines below the tables: rows that are not in them, and what else differs."""
    lines: dict[str, list[str]] = {}
    for row in comparison.rows:
        was_measured = any(side and side.status == "ok" for side in (row.old, row.new))
        text = STATES.get(row.state)
        if text and (was_measured or row.state == "fails"):
            reason = f": {row.new.reason}" if row.new and row.new.reason else ""
            lines.setdefault(text + reason, []).append(f"{row.id} on {row.device}")
    return [
        *(f"{', '.join(names)}: {text}" for text, names in lines.items()),
        *(f"compared all the same: {obstacle}" for obstacle in comparison.obstacles),
        *(f"note: {note}" for note in comparison.notes),
    ]


# --- Columns ------------------------------------------------------------------------------------


def _found(rows: Iterable[RowChange], figure: str) -> list[Change | None]:
    return [row.changes.get(figure) for row in rows]


def _cells(
    rows: Sequence[RowChange], figure: str, header: str, text: Callable[[float], str]
) -> Column:
    cells = (_arrow(change, text) if change else "" for change in _found(rows, figure))
    return Column(header, tuple(cells), "agreement")


def _arrow(change: Change, text: Callable[[float], str]) -> str:
    """Return "before → now", or one text where both look alike."""
    before, now = text(change.old), text(change.new)
    return now if before == now else f"{before} → {now}"


def _judged(
    rows: Sequence[RowChange], figure: str, header: str, text: Callable[[float], str]
) -> Column:
    """Return a column that says besides whether a difference can be claimed."""

    def cell(change: Change) -> str:
        word = "" if change.verdict in UNMEASURED else f" {change.verdict}"
        return _arrow(change, text) + word

    cells = (cell(change) if change else "" for change in _found(rows, figure))
    return Column(header, tuple(cells), "agreement")


def _sizes(rows: Sequence[RowChange], figure: str, header: str) -> Column:
    return _in_unit(rows, figure, header, BYTE_UNITS)


def _in_unit(
    rows: Sequence[RowChange], figure: str, header: str, units: tuple[Unit, ...]
) -> Column:
    changes = [change for change in _found(rows, figure) if change]
    unit = pick_unit((value for change in changes for value in (change.old, change.new)), units)
    return _cells(
        rows, figure, f"{header}\n{unit.word}", lambda value: significant(value / unit.size)
    )


def _ratios(rows: Sequence[RowChange], figure: str, header: str) -> Column:
    cells = (ratio_cell(change.ratio) if change else "" for change in _found(rows, figure))
    return Column(header, tuple(cells), "time")


def _verdict(row: RowChange) -> str:
    change = row.changes.get("latency") or row.changes.get("instructions")
    return change.verdict if change else ""


def _decibels(value: float) -> str:
    return f"{value:.1f}"
