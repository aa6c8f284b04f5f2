"""The table of fidelity: one row per artifact and output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edgekit.report.columns import figure_columns
from edgekit.results.fidelity import Fidelity
from edgekit.results.figures.figure import FIDELITY
from edgekit.results.figures.naming import RowNames
from edgekit.results.figures.registry import by_group
from edgekit.results.results import Row
from edgekit.text.table import Column, filled, names_column

# Stands beside the figures, though it is none of fidelity's own.
JUDGED_ON = "fidelity.samples"


def fidelity_columns(rows: Sequence[Row]) -> list[Column]:
    """Return the columns that have a value: every figure of every output of `rows`."""
    names = RowNames(rows)
    # Figures of fidelity are read from rows: here from one for each output.
    judged = [
        (replace(row, fidelity=Fidelity({name: output})), name)
        for row in rows
        if row.fidelity
        for name, output in row.fidelity.outputs.items()
    ]
    figures = [one for one in by_group() if one.group is FIDELITY or one.key == JUDGED_ON]
    return filled(
        [
            names_column([names.of(row) for row, _ in judged]),
            Column("output", tuple(output for _, output in judged), "name", is_text=True),
            *figure_columns(figures, [row for row, _ in judged]),
        ]
    )
