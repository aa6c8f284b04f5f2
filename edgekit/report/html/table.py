"""Columns as an HTML table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from edgekit.text.table import NAMES, Column

CLASSES = {"green": "good", "red": "bad"}


@dataclass(frozen=True)
class PictureColumn:
    """A column of pictures: markup, not text. It says nothing that the table does not say."""

    header: str
    cells: tuple[str, ...]
    kind: str


def table(
    label: str,
    columns: Sequence[Column | PictureColumn],
    keys: Sequence[str] = (),
) -> str:
    """Return a table that scrolls if it is too wide.

    label: what it is called for those who cannot see it.
    keys: what a row is known by to the script, which marks the same artifact everywhere.
    """
    heads = "".join(_head(column) for column in columns)
    lines = []
    for number, cells in enumerate(zip(*map(_cells, columns), strict=True)):
        key = f' data-k="{escape(keys[number])}"' if keys else ""
        lines.append(f"<tr{key}>{''.join(cells)}</tr>")
    body = "\n".join(lines)
    return (
        f'<div class="wide" role="region" aria-label="{escape(label)}" tabindex="0">'
        f'<table class="sortable"><thead><tr>{heads}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def _head(column: Column | PictureColumn) -> str:
    if isinstance(column, PictureColumn):
        return f'<th scope="col" class="{column.kind}" data-sort="no">{column.header}</th>'
    text = escape(column.header).replace("\n", "<br>")
    kind = ' class="text" data-sort="text"' if column.is_text else ""
    return f'<th scope="col"{kind}>{text}</th>'


def _cells(column: Column | PictureColumn) -> list[str]:
    if isinstance(column, PictureColumn):
        return [f'<td class="{column.kind}">{cell}</td>' for cell in column.cells]
    if column.key == NAMES:
        return [f'<th scope="row">{escape(cell)}</th>' for cell in column.cells]
    return [_cell(cell, column) for cell in column.cells]


def _cell(text: str, column: Column) -> str:
    words = ["text"] if column.is_text else []
    if style := CLASSES.get(column.style(text)):
        words.append(style)
    kind = f' class="{" ".join(words)}"' if words else ""
    return f"<td{kind}>{escape(text)}</td>"
