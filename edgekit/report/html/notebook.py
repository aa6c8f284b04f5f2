"""Results as HTML for a notebook: the tables of the report, one per device, with their notes.

No script, and a style that keeps to its own tables: a notebook that drops it (GitHub does) still
shows tables.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from edgekit.report.columns import is_in_table, table_columns
from edgekit.report.html.table import table
from edgekit.report.lines import conclusion_lines, heading, legend, row_notes
from edgekit.results.figures.naming import RowNames

if TYPE_CHECKING:
    from edgekit.results.results import Results

# Green and red that can be read on white and on black.
STYLE = """
.edgekit table { font-variant-numeric: tabular-nums; }
.edgekit th, .edgekit td { padding: .1em .5em; text-align: right; white-space: pre; }
.edgekit thead th { vertical-align: bottom; }
.edgekit .text, .edgekit th[scope=row], .edgekit thead th:first-child { text-align: left; }
.edgekit .wide { overflow-x: auto; }
.edgekit .good { color: #1a8f66; }
.edgekit .bad { color: #e5534b; }
"""


def results_html(results: Results) -> str:
    """Return all devices' tables."""
    parts = [f"<style>{STYLE}</style>"]
    names = RowNames(results.rows)
    for device in dict.fromkeys(row.device for row in results.rows):
        rows = [row for row in results.rows if row.device == device]
        shown = [row for row in rows if is_in_table(row)]
        parts.append(f"<p><strong>{escape(heading(device, results))}</strong></p>")
        said = map(escape, conclusion_lines(device, results.rows))
        parts += [f"<p>{line}</p>" for line in said]
        if shown:
            parts.append(table(f"Measurements on {device}", table_columns(shown, names)))
        notes = [*row_notes(rows), *legend(results, rows)]
        if notes:
            items = "".join(f"<li>{escape(note)}</li>" for note in notes)
            parts.append(f"<ul>{items}</ul>")
    return f'<div class="edgekit">{"".join(parts)}</div>'
