"""The report as CSV (RFC 4180): one row per artifact and device, plain numbers, units in the names.

A cell is empty if there is no value. Infinite values are `inf` and `-inf`.
Text that a spreadsheet would take for a formula has an apostrophe before it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edgekit.report.merge import Report, Section
from edgekit.results.figures.figure import Value
from edgekit.results.figures.registry import all_figures
from edgekit.results.results import Row
from edgekit_runtimes.printable import printable_cell


@dataclass(frozen=True)
class SectionField:
    """What CSV says about each row that is not in the row itself.

    sentence: as of `Figure`.
    """

    csv: str
    sentence: str
    value: Callable[[Section], Value]


SECTION_FIELDS = (
    SectionField("file", "The results file, as it was given.", lambda section: section.file),
    SectionField("bundle", "The name of the bundle.", lambda section: section.results.bundle),
    SectionField("created", "When the bench ended, in UTC.", lambda one: one.results.created),
    SectionField("edgekit", "The version that measured.", lambda one: one.results.edgekit),
    SectionField("device", "Where it ran, as `host`.", lambda section: section.device),
    SectionField("threads", "How many each engine had.", lambda one: one.results.threads),
)


def render_csv(report: Report) -> str:
    """Return one table for all sections, its first line the names."""
    figures = [figure for figure in all_figures() if figure.csv]
    names = [*(field.csv for field in SECTION_FIELDS), *(figure.csv for figure in figures)]
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, names)
    writer.writeheader()
    for section in report.sections:
        for row in section.rows:
            writer.writerow(_cells(section, row))
    return stream.getvalue()


def _cells(section: Section, row: Row) -> Mapping[str, Value]:
    figures = {figure.csv: figure.value(row) for figure in all_figures() if figure.csv}
    cells = {**{field.csv: field.value(section) for field in SECTION_FIELDS}, **figures}
    return {
        name: printable_cell(value) if isinstance(value, str) else value
        for name, value in cells.items()
    }
