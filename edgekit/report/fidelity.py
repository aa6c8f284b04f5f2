"""The table of fidelity, a row an artifact and output."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edgekit.report.columns import Column, sqnr_cell
from edgekit.results.fidelity import OutputFidelity
from edgekit.results.results import Row
from edgekit.text.units import percent, significant

COSINE_DECIMALS = 6


def fidelity_columns(rows: Sequence[Row]) -> list[Column]:
    """Return the columns that have a value: every figure of every output of `rows`."""
    judged = [
        (row.id, name, output)
        for row in rows
        if row.fidelity
        for name, output in row.fidelity.outputs.items()
    ]

    def column(header: str, cell: Callable[[OutputFidelity], str]) -> Column:
        return Column(header, tuple(cell(output) for _, _, output in judged), "agreement")

    columns = [
        Column("artifact", tuple(artifact for artifact, _, _ in judged), "name", is_text=True),
        Column("output", tuple(name for _, name, _ in judged), "name", is_text=True),
        column("top-1\n%", lambda output: "" if output.top1 is None else percent(output.top1)),
        column("cosine", lambda output: f"{output.cosine:.{COSINE_DECIMALS}f}"),
        column("SQNR\ndB", sqnr_cell),
        column("largest\nerror", lambda output: significant(output.max_abs_error)),
        column("NaN", lambda output: f"{output.nan:,}" if output.nan else ""),
        column(
            "NaN in\noriginal",
            lambda output: f"{output.original_nan:,}" if output.original_nan else "",
        ),
        column("samples", lambda output: f"{output.samples:,}"),
    ]
    return [column for column in columns if any(column.cells)]
