"""What changed between two results: one table per device, and the lines around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgekit.report.lines import heading
from edgekit.report.terminal.tables import print_line, print_table, with_what_fits
from edgekit.results.figures.figure import RUN, Figure
from edgekit.results.figures.ratios import ratio_cell
from edgekit.results.figures.registry import compared_figures
from edgekit.text.table import Column, filled, names_column, verdict_style
from edgekit.text.units import Unit, pick_unit

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
    """Print one table per device, then rows that came or went, then notes."""
    for device in devices(comparison):
        print_line(console, heading(device, comparison.new), style="bold")
        columns = change_columns([row for row in comparison.rows if row.device == device])
        if columns:
            print_table(with_what_fits(columns, console.width), console)
        else:
            print_line(console, "no row was measured both times")
        print_line(console)
    for line in change_notes(comparison):
        print_line(console, line)


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
    figures = {name: figure for name, figure in compared_figures().items() if figure.shown}
    runs = [name for name, figure in figures.items() if figure.group is RUN]
    columns = [names_column([row.name for row in compared])]
    for name, figure in figures.items():
        changes = [row.changes.get(name) for row in compared]
        columns.append(_changes_column(figure, changes))
        if name in runs and figure.compared and figure.compared.ratio_between:
            ratios = tuple(ratio_cell(change.ratio) if change else "" for change in changes)
            columns.append(Column("now / before\n[95 %]", ratios))
        if runs and name == runs[-1]:
            verdicts = tuple(_verdict(row, runs) for row in compared)
            columns.append(Column("verdict", verdicts, is_text=True, style=verdict_style))
    return filled(columns)


def change_notes(comparison: Comparison) -> list[str]:
    """Return the lines below the tables: rows that are not in them, and what else differs."""
    lines: dict[str, list[str]] = {}
    for row in comparison.rows:
        was_measured = any(side and side.status == "ok" for side in (row.old, row.new))
        text = STATES.get(row.state)
        if text and (was_measured or row.state == "fails"):
            reason = f": {row.new.reason}" if row.new and row.new.reason else ""
            lines.setdefault(text + reason, []).append(f"{row.name} on {row.device}")
    return [
        *(f"{', '.join(names)}: {text}" for text, names in lines.items()),
        *(f"compared nevertheless: {obstacle}" for obstacle in comparison.obstacles),
        *(f"note: {note}" for note in comparison.notes),
    ]


def _changes_column(figure: Figure, changes: Sequence[Change | None]) -> Column:
    """Return "before → now" for each row, in one unit."""
    values = (value for change in changes if change for value in (change.old, change.new))
    unit = pick_unit(values, figure.quantity.shown)
    title = (figure.shown and figure.shown.changed) or figure.title()
    below = figure.quantity.heading(unit)
    cells = (_cell(figure, change, unit) if change else "" for change in changes)
    return Column(f"{title}\n{below}" if below else title, tuple(cells), figure.group.part)


def _cell(figure: Figure, change: Change, unit: Unit) -> str:
    """Return both values, or one text where they look alike; and what may be claimed."""
    text = figure.quantity.text
    before, now = text(change.old / unit.size), text(change.new / unit.size)
    says_verdict = figure.compared and figure.compared.says_verdict
    has_word = says_verdict and change.verdict not in UNMEASURED
    word = f" {change.verdict}" if has_word else ""
    return (now if before == now else f"{before} → {now}") + word


def _verdict(row: RowChange, figures: Sequence[str]) -> str:
    """Return what may be claimed of the time, or of the count in its place."""
    found = (row.changes[name] for name in figures if name in row.changes)
    return next((change.verdict for change in found), "")
