"""The table of a bench: its columns and their cells, whoever draws them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from edgekit.report.difference import difference_cell, difference_header
from edgekit.text.units import (
    BYTE_UNITS,
    INSTRUCTION_UNITS,
    TIME_UNITS,
    Unit,
    percent,
    pick_unit,
    significant,
)

if TYPE_CHECKING:
    from edgekit.results.accuracy import Accuracy
    from edgekit.results.agreement import Agreement
    from edgekit.results.fidelity import Fidelity, OutputFidelity
    from edgekit.results.results import Row
    from edgekit.results.statistics import Ratio

DERIVED_MARK = "*"
RATIO_HEADER = "ratio to fp32"

ColumnGroup = Literal["name", "size", "time", "agreement"]


@dataclass(frozen=True)
class Column:
    """A column: its header, a cell a row ("" where there is no value), and the table it is in."""

    header: str
    cells: tuple[str, ...]
    group: ColumnGroup
    is_text: bool = False


def is_in_table(row: Row) -> bool:
    """Whether there is anything to show of a row but its reason."""
    return row.statistics is not None or row.fidelity is not None


def backends_of(rows: Iterable[Row]) -> set[str]:
    """Return where engines of a page computed."""
    return {row.backend for row in rows if row.backend}


def table_columns(rows: Sequence[Row]) -> list[Column]:
    """Return the columns that have a value in at least one of `rows`."""
    counted = any(row.unit == "instructions" for row in rows)
    units = INSTRUCTION_UNITS if counted else TIME_UNITS
    columns = [
        Column("artifact", tuple(row.id for row in rows), "name", is_text=True),
        *([_backend_column(rows)] if len(backends_of(rows)) > 1 else []),
        _with_unit("size", [row.bytes for row in rows], BYTE_UNITS, "size"),
        _with_unit("brotli", [row.wire_bytes.get("brotli") for row in rows], BYTE_UNITS, "size"),
        _with_unit("download", [_median(row.download_ns) for row in rows], units, "time"),
        _with_unit("load", [_median(row.load_ns) for row in rows], units, "time"),
        _with_unit("first\nrun", [_median(row.first_run_ns) for row in rows], units, "time"),
        *(_count_columns(rows) if counted else _run_columns(rows)),
        Column(
            f"{RATIO_HEADER}\n[{'min, max' if counted else '95 %'}]",
            tuple(ratio_cell(row.ratio_to_fp32) for row in rows),
            "time",
        ),
        Column("verdict", tuple(_verdict_cell(row) for row in rows), "time", is_text=True),
        Column("to\noriginal", tuple(_original_cell(row) for row in rows), "time"),
        Column("top-1\n%", tuple(_top1_cell(row.fidelity) for row in rows), "agreement"),
        Column("SQNR\ndB", tuple(sqnr_cell(row.fidelity) for row in rows), "agreement"),
        Column("vs\nhost", tuple(host_cell(row.agreement_with_host) for row in rows), "agreement"),
        *_accuracy_columns([row.accuracy for row in rows]),
    ]
    return [column for column in columns if any(column.cells)]


def _backend_column(rows: Sequence[Row]) -> Column:
    return Column("back end", tuple(row.backend or "" for row in rows), "name", is_text=True)


def _run_columns(rows: Sequence[Row]) -> list[Column]:
    """Median and p90, in one unit so that they can be compared at a glance."""
    medians = [row.statistics.median if row.statistics else None for row in rows]
    p90s = [row.statistics.p90 if row.statistics else None for row in rows]
    unit = pick_unit((value for value in (*medians, *p90s) if value is not None), TIME_UNITS)
    return [
        _with_unit("median", medians, (unit,), "time"),
        _with_unit("p90", p90s, (unit,), "time"),
    ]


def _count_columns(rows: Sequence[Row]) -> list[Column]:
    fewest = [row.statistics.min if row.statistics else None for row in rows]
    return [_with_unit("fewest", fewest, INSTRUCTION_UNITS, "time")]


def _with_unit(
    header: str,
    values: Sequence[float | None],
    units: tuple[Unit, ...],
    group: ColumnGroup,
) -> Column:
    unit = pick_unit((value for value in values if value is not None), units)
    cells = ("" if value is None else significant(value / unit.size) for value in values)
    return Column(f"{header}\n{unit.word}", tuple(cells), group)


def _median(values: Sequence[int]) -> float | None:
    return float(np.median(values)) if values else None


def ratio_cell(ratio: Ratio | None) -> str:
    """Return a ratio with its interval, as "0.512 [0.498, 0.526]"."""
    if ratio is None:
        return ""
    if ratio.low is None or ratio.high is None:
        return significant(ratio.value)
    return f"{significant(ratio.value)} [{significant(ratio.low)}, {significant(ratio.high)}]"


def _verdict_cell(row: Row) -> str:
    return row.ratio_to_fp32.verdict if row.ratio_to_fp32 else ""


def _original_cell(row: Row) -> str:
    ratio = row.ratio_to_original
    if ratio is None:
        return ""
    # The blank keeps the digits of unmarked ratios in line with those of marked ones.
    return significant(ratio.value) + (DERIVED_MARK if ratio.derived else " ")


def _top1_cell(fidelity: Fidelity | None) -> str:
    return "" if fidelity is None or fidelity.top1 is None else percent(fidelity.top1)


def sqnr_cell(fidelity: Fidelity | OutputFidelity | None) -> str:
    """Return the SQNR of an artifact or of one output, or the word that says more."""
    if fidelity is None:
        return ""
    if fidelity.nan:
        return "NaN"
    return "exact" if fidelity.sqnr_db == math.inf else significant(fidelity.sqnr_db)


def host_cell(agreement: Agreement | None) -> str:
    """Return how far outputs are from the host's: "exact", or the largest error as a share."""
    if agreement is None:
        return ""
    return "exact" if agreement.exact else f"{agreement.max_relative_error:.0e}"


def _accuracy_columns(accuracies: Sequence[Accuracy | None]) -> list[Column]:
    def column(header: str, cell: Callable[[Accuracy], str]) -> Column:
        cells = tuple(cell(accuracy) if accuracy else "" for accuracy in accuracies)
        return Column(header, cells, "agreement")

    versus = Column(
        difference_header(accuracies), tuple(map(difference_cell, accuracies)), "agreement", True
    )
    if any(accuracy and accuracy.correct is not None for accuracy in accuracies):
        return [column("accuracy\n% [95 %]", _top1_with_interval), versus]
    metrics = [accuracy.metric for accuracy in accuracies if accuracy and accuracy.metric]
    if metrics:
        name = metrics[0].rpartition(":")[2]
        return [column(f"{name}\n[95 %]", lambda one: _with_interval(one.value, one)), versus]
    return [
        column("MAE\n[95 %]", lambda accuracy: _with_interval(accuracy.mae, accuracy)),
        column("RMSE", lambda accuracy: _error_cell(accuracy.rmse)),
        versus,
    ]


def _top1_with_interval(accuracy: Accuracy) -> str:
    if accuracy.top1 is None or accuracy.low is None or accuracy.high is None:
        return ""
    return f"{percent(accuracy.top1)} [{percent(accuracy.low)}, {percent(accuracy.high)}]"


def _error_cell(error: float | None) -> str:
    return "NaN" if error is None else significant(error)


def _with_interval(value: float | None, accuracy: Accuracy) -> str:
    if value is None or accuracy.low is None or accuracy.high is None:
        return _error_cell(value)
    return f"{significant(value)} [{significant(accuracy.low)}, {significant(accuracy.high)}]"


def cell_style(cell: str) -> str:
    """Return the colour of a verdict; "" for any other cell."""
    word = cell.partition(" by ")[0]
    good, bad = ("faster", "fewer", "better"), ("slower", "more", "worse", "worse: NaN")
    return "green" if word in good else "red" if word in bad else ""
