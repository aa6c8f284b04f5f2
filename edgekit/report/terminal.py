"""Tables for a terminal or a pipe: any table, and that of a bench.

One table per device; where the terminal is too narrow for it, without memory, and then two: times,
then size and agreement. Rows without measurements stand below the table with their reasons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from edgekit.report.columns import is_in_table, table_columns
from edgekit.report.lines import heading, legend, row_notes
from edgekit.results.figures.naming import RowNames
from edgekit.text.table import Column, lines_of

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from edgekit.results.results import Results

# Wider than any table: to measure how wide one wants to be.
NO_LIMIT = 10_000
# Left out where there is no room: it is in every file that `edgekit report` writes.
OPTIONAL_PART = "memory"
# What stands together where one table would be too wide, beside the names.
TABLES = (("time",), ("size", OPTIONAL_PART, "agreement"))


def print_results(results: Results, console: Console) -> None:
    """Print the tables of all devices."""
    names = RowNames(results.rows)
    for number, device in enumerate(dict.fromkeys(row.device for row in results.rows)):
        if number:
            print_line(console)
        rows = [row for row in results.rows if row.device == device]
        print_line(console, heading(device, results), style="bold")
        shown = [row for row in rows if is_in_table(row)]
        for table in _tables(table_columns(shown, names), console):
            print_line(console)
            console.print(table, crop=False)
        notes = [*row_notes(rows), *legend(results, rows)]
        if notes:
            print_line(console)
        for note in notes:
            print_line(console, note)


def print_line(console: Console, text: str = "", style: str | None = None) -> None:
    """Print one line of text: never read as markup, and never cut."""
    console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


def print_table(columns: Sequence[Column], console: Console) -> None:
    """Print a table as it is, however wide."""
    console.print(terminal_table(columns, console), crop=False)


def terminal_table(columns: Sequence[Column], console: Console) -> Table:
    """Return columns as a table as wide as it wants to be."""
    from rich.measure import Measurement
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    height = max(column.header.count("\n") for column in columns)
    for column in columns:
        header = "\n" * (height - column.header.count("\n")) + column.header
        justify: Literal["left", "right"] = "left" if column.is_text else "right"
        table.add_column(Text(header), justify=justify, no_wrap=True)
    styles = [column.style for column in columns]
    for cells in lines_of(columns):
        texts = zip(cells, styles, strict=True)
        table.add_row(*(Text(cell, style=style(cell)) for cell, style in texts))
    # Left to itself, rich makes columns vanish where the terminal is too narrow.
    no_limit = console.options.update(max_width=NO_LIMIT)
    table.width = Measurement.get(console, no_limit, table).maximum
    return table


def _tables(columns: Sequence[Column], console: Console) -> list[Table]:
    """Return one table, or two where it would not fit."""
    if not columns:
        return []
    needed = [column for column in columns if column.part != OPTIONAL_PART]
    for chosen in (columns, needed):
        whole = terminal_table(chosen, console)
        if _fits(whole, console):
            return [whole]
    return [
        _narrow_table(part, console)
        for parts in TABLES
        if len(part := [column for column in columns if column.part in ("name", *parts)]) > 1
    ]


def _narrow_table(columns: Sequence[Column], console: Console) -> Table:
    """Return the table that fits, or the narrowest there is."""
    needed = [column for column in columns if column.part != OPTIONAL_PART]
    for chosen in (columns, needed):
        table = terminal_table(chosen, console)
        if _fits(table, console):
            return table
    return terminal_table(_folded(needed), console)


def _fits(table: Table, console: Console) -> bool:
    return (table.width or 0) <= console.width


def _folded(columns: Sequence[Column]) -> list[Column]:
    """Return the columns with the widest verdict on two lines."""
    return [
        replace(column, cells=tuple(cell.replace("not ", "not\n") for cell in column.cells))
        for column in columns
    ]
