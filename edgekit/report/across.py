"""The ratio to fp32 on all devices side by side: does an artifact pay off everywhere?"""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.report.merge import Report, Section
from edgekit.results.figures.naming import RowNames
from edgekit.results.figures.ratios import ratio_cell
from edgekit.results.statistics import Ratio
from edgekit.text.table import Column, names_column

TITLE = "Ratio to fp32 on each device"
NOTE = "Each against the fp32 artifact of its format on the same device: under 1 is less."


@dataclass(frozen=True)
class Across:
    """The ratios of `names` (artifacts) by the title of a section; None if there is none."""

    names: tuple[str, ...]
    ratios: dict[str, tuple[Ratio | None, ...]]

    def columns(self) -> list[Column]:
        """Return the artifacts, and one column per section."""
        return [
            names_column(self.names),
            *(
                Column(title, tuple(map(ratio_cell, ratios)), "time")
                for title, ratios in self.ratios.items()
            ),
        ]


def across(report: Report) -> Across | None:
    """Return the ratios of all sections; None if there are not two with ratios."""
    by_section = {section.title: _ratios(section) for section in report.sections}
    names = tuple(dict.fromkeys(name for ratios in by_section.values() for name in ratios))
    ratios = {
        title: tuple(ratios.get(name) for name in names)
        for title, ratios in by_section.items()
        if ratios
    }
    return Across(names, ratios) if len(ratios) > 1 else None


def _ratios(section: Section) -> dict[str, Ratio]:
    names = RowNames(section.rows)
    return {names.of(row): row.ratio_to_fp32 for row in section.rows if row.ratio_to_fp32}
