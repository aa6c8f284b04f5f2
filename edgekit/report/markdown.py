"""The report as Markdown for GitHub: the terminal's tables with the same cells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from edgekit.report.across import NOTE, TITLE, across
from edgekit.report.columns import is_in_table, table_columns
from edgekit.report.lines import conclusion_lines, heading, legend, row_notes
from edgekit.report.merge import Report, Section, minute
from edgekit.results.figures.naming import RowNames
from edgekit.text.table import Column, lines_of

# What Markdown would read as markup: names and reasons come from files that anyone may have made.
_MARKUP = re.compile(r"([\\`*_~|]|\](?=\())")


def render_markdown(report: Report) -> str:
    """Return the tables, one heading per device, with notes and legend below each."""
    parts = [f"> {escape(note)}" for note in report.notes]
    found = across(report)
    if found:
        parts += [f"## {TITLE}", markdown_table(found.columns()), NOTE]
    for section in report.sections:
        parts += _section(section)
    return "\n\n".join(parts) + "\n"


def _section(section: Section) -> Iterator[str]:
    results, rows = section.results, section.rows
    yield f"## {escape(heading(section.title, results))}"
    yield escape(f"{results.bundle}, {minute(results.created)} UTC, edgekit {results.edgekit}")
    yield from map(escape, conclusion_lines(section.title, rows))
    columns = table_columns([row for row in rows if is_in_table(row)], RowNames(rows))
    if columns:
        yield markdown_table(columns)
    notes = [*row_notes(rows), *legend(results, rows)]
    if notes:
        yield "\n".join(f"- {escape(note)}" for note in notes)


def markdown_table(columns: Sequence[Column]) -> str:
    """Return columns as a table of GitHub's Markdown."""
    heads = [escape(column.header) for column in columns]
    rules = ["---" if column.is_text else "--:" for column in columns]
    cells = (map(escape, line) for line in lines_of(columns))
    return "\n".join(f"| {' | '.join(line)} |" for line in (heads, rules, *cells))


def escape(text: str) -> str:
    """Return text on one line that Markdown shows as it is."""
    plain = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    return _MARKUP.sub(r"\\\1", plain)
