"""The table of a bench, for a terminal or a pipe.

One table a device; where the terminal is too narrow for it, two: times, then size and agreement.
Rows without measurements stand below the table with their reasons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from edgekit.report.columns import Column, ColumnGroup, cell_style, is_in_table, table_columns
from edgekit.report.lines import heading, legend, row_notes

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from edgekit.results.results import Results

# Wider than any table: to measure how wide one wants to be.
NO_LIMIT = 10_000


def print_results(results: Results, console: Console) -> None:
    """Print the tables of all devices."""
    for number, device in enumerate(dict.fromkeys(row.device for row in results.rows)):
        if number:
            _print(console)
        rows = [row for row in results.rows if row.device == device]
        _print(console, heading(device, results), style="bold")
        columns = table_columns([row for row in rows if is_in_table(row)])
        for table in _tables(columns, console):
            _print(console)
            console.print(table, crop=False)
        notes = [*row_notes(rows), *legend(results, rows)]
        if notes:
            _print(console)
        for note in notes:
            _print(console, note)


def _print(console: Console, text: str = "", style: str | None = None) -> None:
    """Print one line of text: never read as markup, and never cut."""
    console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


def _tables(columns: Sequence[Column], console: Console) -> list[Table]:
    """Return one table, or two where it would not fit."""
    if not columns:
        return []
    whole = _table(columns, console)
    if _fits(whole, console):
        return [whole]
    groups: tuple[tuple[ColumnGroup, ...], ...] = (("time",), ("size", "agreement"))
    tables = []
    for group in groups:
        part = [column for column in columns if column.group == "name" or column.group in group]
        if len(part) > 1:
            table = _table(part, console)
            tables.append(table if _fits(table, console) else _table(_folded(part), console))
    return tables


def _fits(table: Table, console: Console) -> bool:
    return (table.width or 0) <= console.width


def _folded(columns: Sequence[Column]) -> list[Column]:
    """Return the columns with the widest verdict on two lines."""
    return [
        replace(column, cells=tuple(cell.replace("not ", "not\n") for cell in column.cells))
        for column in columns
    ]


def _table(columns: Sequence[Column], console: Console) -> Table:
    from rich.measure import Measurement
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    height = max(column.header.count("\n") for column in columns)
    for column in columns:
        header = "\n" * (height - column.header.count("\n")) + column.header
        justify: Literal["left", "right"] = "left" if column.is_text else "right"
        table.add_column(Text(header), justify=justify, no_wrap=True)
    for cells in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*(Text(cell, style=cell_style(cell)) for cell in cells))
    # Left to itself, rich makes columns vanish where the terminal is too narrow.
    no_limit = console.options.update(max_width=NO_LIMIT)
    table.width = Measurement.get(console, no_limit, table).maximum
    return table
