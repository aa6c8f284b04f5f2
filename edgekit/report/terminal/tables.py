"""Tables for a terminal or a pipe: any table, and that of a bench.

One table per device: what a choice needs, in 80 columns, or all there is; where the terminal is too
narrow for all, without memory, and then two: times, then size and agreement. Rows without
measurements are listed below the table with their reasons.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING

from edgekit.report.columns import is_in_table, table_columns
from edgekit.report.lines import conclusion_lines, heading, legend, row_notes
from edgekit.report.terminal.narrow import alike_note, narrow_columns
from edgekit.results.figures.naming import RowNames
from edgekit.text.table import Column, lines_of

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from edgekit.results.results import Results, Row

# Blanks between two columns.
GAP = 2
# Left out if there is no room: it is in every file that `edgekit report` writes.
OPTIONAL_PART = "memory"
# What stays together if one table would be too wide, beside the names.
TABLES = (("time",), ("size", OPTIONAL_PART, "agreement"))


def print_results(results: Results, console: Console, is_wide: bool = True) -> None:
    """Print the conclusion and the tables of all devices.

    is_wide: all columns, not only those that a choice needs.
    """
    names = RowNames(results.rows)
    for number, device in enumerate(dict.fromkeys(row.device for row in results.rows)):
        if number:
            print_line(console)
        rows = [row for row in results.rows if row.device == device]
        print_line(console, heading(device, results), style="bold")
        for line in conclusion_lines(device, results.rows):
            print_line(console, line)
        for table in _wide(rows, names, console) if is_wide else _narrow(rows, names, console):
            print_line(console)
            print_table(table, console)
        marks = [] if is_wide else alike_note(rows)
        notes = [*row_notes(rows), *marks, *legend(results, rows, is_wide)]
        if notes:
            print_line(console)
        for note in notes:
            print_line(console, note)


def print_line(console: Console, text: str = "", style: str | None = None) -> None:
    """Print one line of text: never read as markup, and never cut.

    It is wrapped at words where the console has a width to wrap at.
    """
    console.print(text, style=style, markup=False, highlight=False)


def print_table(columns: Sequence[Column], console: Console) -> None:
    """Print a table as it is, however wide."""
    for line in _lines(columns):
        console.print(line, highlight=False, soft_wrap=True)


def table_width(columns: Sequence[Column]) -> int:
    """Return how many characters wide a table is."""
    return sum(map(_width, columns)) + GAP * (len(columns) - 1)


def _width(column: Column) -> int:
    from rich.cells import cell_len

    return max(cell_len(line) for text in (column.header, *column.cells) for line in _split(text))


def _lines(columns: Sequence[Column]) -> Iterator[Text]:
    """Yield the lines of a table: its heading and its rows."""
    widths = [_width(column) for column in columns]
    heads = [_split(column.header) for column in columns]
    height = max(map(len, heads))
    # The last line of a heading is right above the cells.
    lifted = ["\n" * (height - len(head)) + "\n".join(head) for head in heads]
    yield from _row(lifted, columns, widths, ["bold"] * len(columns))
    for cells in lines_of(columns):
        styles = [column.style(cell) for column, cell in zip(columns, cells, strict=True)]
        yield from _row(cells, columns, widths, styles)


def _row(
    cells: Sequence[str], columns: Sequence[Column], widths: Sequence[int], styles: Sequence[str]
) -> Iterator[Text]:
    """Yield the lines of one row: several where a cell has line breaks."""
    from rich.cells import cell_len
    from rich.text import Text

    for parts in zip_longest(*map(_split, cells), fillvalue=""):
        line = Text()
        for part, column, width, style in zip(parts, columns, widths, styles, strict=True):
            blank = " " * (width - cell_len(part))
            line.append("" if column.is_text else blank).append(part, style)
            line.append(blank if column.is_text else "").append(" " * GAP)
        line.rstrip()
        yield line


def _split(text: str) -> list[str]:
    # Nothing else breaks a line: names come from files that anyone may have made.
    return [line.rstrip() for line in text.split("\n")]


def _narrow(rows: Sequence[Row], names: RowNames, console: Console) -> list[list[Column]]:
    """Return the table that a choice needs, with its names folded where they are too long."""
    table = narrow_columns(rows, names)
    if table_width(table) > console.width:
        table = narrow_columns(rows, names, is_folded=True)
    return [table] if table else []


def _wide(rows: Sequence[Row], names: RowNames, console: Console) -> list[Sequence[Column]]:
    """Return one table of all columns, or two where it would not fit."""
    columns = table_columns([row for row in rows if is_in_table(row)], names)
    width = console.width
    if not columns:
        return []
    whole = with_what_fits(columns, width)
    if table_width(whole) <= width:
        return [whole]
    parts = ([one for one in columns if one.part in ("name", *parts)] for parts in TABLES)
    return [_narrowest(part, width) for part in parts if len(part) > 1]


def _narrowest(columns: Sequence[Column], width: int) -> Sequence[Column]:
    """Return the table that fits, or the narrowest there is."""
    chosen = with_what_fits(columns, width)
    return chosen if table_width(chosen) <= width else _folded(chosen)


def with_what_fits(columns: Sequence[Column], width: int) -> Sequence[Column]:
    """Return the columns, or only those that are needed if not all fit."""
    return columns if table_width(columns) <= width else _needed(columns)


def _needed(columns: Sequence[Column]) -> list[Column]:
    return [column for column in columns if column.part != OPTIONAL_PART]


def _folded(columns: Sequence[Column]) -> list[Column]:
    """Return the columns with the widest verdict on two lines."""
    return [
        replace(column, cells=tuple(cell.replace("not ", "not\n") for cell in column.cells))
        for column in columns
    ]
