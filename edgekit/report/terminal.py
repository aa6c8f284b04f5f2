"""The table of a bench, for a terminal or a pipe.

One table a device; where the terminal is too narrow for it, two: times, then size and agreement.
Rows without measurements stand below the table with their reasons.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from edgekit.report.browser import browser_facts, software_note
from edgekit.report.difference import difference_cell, difference_header
from edgekit.report.units import (
    BYTE_UNITS,
    INSTRUCTION_UNITS,
    TIME_UNITS,
    Unit,
    percent,
    pick_unit,
    significant,
)

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from edgekit.measure.accuracy.accuracy import Accuracy
    from edgekit.measure.agreement import Agreement
    from edgekit.measure.fidelity import Fidelity, OutputFidelity
    from edgekit.measure.results import Results, Row
    from edgekit.measure.statistics import Ratio
    from edgekit.measure.steadiness import Steadiness

# Wider than any table: to measure how wide one wants to be.
NO_LIMIT = 10_000
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


def print_results(results: Results, console: Console) -> None:
    """Print the tables of all devices."""
    for number, device in enumerate(dict.fromkeys(row.device for row in results.rows)):
        if number:
            _print(console)
        rows = [row for row in results.rows if row.device == device]
        _print(console, heading(device, results), style="bold")
        columns = table_columns([row for row in rows if is_in_table(row)])
        for table in _tables(columns, console):
            _print(console)
            console.print(table, crop=False)
        notes = [*row_notes(rows), *legend(results, rows)]
        if notes:
            _print(console)
        for note in notes:
            _print(console, note)


def table_columns(rows: Sequence[Row]) -> list[Column]:
    """Return the columns that have a value in at least one of `rows`."""
    counted = any(row.unit == "instructions" for row in rows)
    units = INSTRUCTION_UNITS if counted else TIME_UNITS
    columns = [
        Column("artifact", tuple(row.id for row in rows), "name", is_text=True),
        *([_backend_column(rows)] if len(_backends(rows)) > 1 else []),
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


# --- Lines around the table ---------------------------------------------------------------------


def row_notes(rows: Sequence[Row]) -> list[str]:
    """Return the lines for rows with something missing; rows of one reason share a line."""
    return [
        *_by_reason(rows, lambda row: row.reason and f"{row.status}: {row.reason}"),
        *_by_reason(rows, lambda row: row.ratio_reason and f"no ratio: {row.ratio_reason}"),
        *_by_reason(rows, lambda row: unsteady_note(row.steadiness)),
        *_by_reason(rows, not_faster_note),
        *_by_reason(
            rows, lambda row: row.accuracy_reason and f"no accuracy: {row.accuracy_reason}"
        ),
    ]


def not_faster_note(row: Row) -> str:
    """Return why an artifact is not faster than fp32, "" where it is."""
    gain = "fewer" if row.unit == "instructions" else "faster"
    texts = [reason.text for reason in row.reasons]
    return f"not {gain}: {'; '.join(texts)}" if texts else ""


def unsteady_note(steadiness: Steadiness | None) -> str:
    """Return what was not steady, "" where all was."""
    if steadiness is None:
        return ""
    facts = []
    if steadiness.trend is not None and "trend" in steadiness.flags:
        facts.append(f"{_slower(steadiness.trend)} in the last quarter than in the first")
    if steadiness.first_quarter is not None and "first quarter" in steadiness.flags:
        facts.append(f"{_slower(steadiness.first_quarter)} in the first quarter than in the others")
    return f"not steady: {', and '.join(facts)}" if facts else ""


def _slower(share: float) -> str:
    return f"{significant(100 * abs(share))} % {'slower' if share > 0 else 'faster'}"


def _by_reason(rows: Iterable[Row], text: Callable[[Row], str | None]) -> list[str]:
    ids: dict[str, list[str]] = {}
    for row in rows:
        reason = text(row)
        if reason:
            ids.setdefault(reason, []).append(row.id)
    return [f"{', '.join(names)}: {reason}" for reason, names in ids.items()]


def legend(results: Results, rows: Sequence[Row]) -> list[str]:
    """Return the explanations that this table needs, and no others."""
    lines = []
    if any(row.unit == "instructions" and row.statistics for row in rows):
        lines.append(
            "instr.: instructions per inference, the fewest of five; not time, since caches, "
            "memory and clock rate have no part in them"
        )
        judged = max((row.fidelity.samples for row in rows if row.fidelity), default=0)
        if judged < results.samples:
            lines.append(f"top-1 and SQNR were judged on the first {judged} samples")
    if any(row.ratio_to_original and row.ratio_to_original.derived for row in rows):
        lines.append(
            f"{DERIVED_MARK} derived: the ratio to fp32 times fp32's own ratio to the original"
        )
    agreements = [row.agreement_with_host for row in rows if row.agreement_with_host]
    if agreements:
        lines.append(
            "vs host: the largest difference from the host's outputs of the same artifact, as a "
            f"share of the largest of them, on the first {agreements[0].samples} samples"
        )
    compared = [row.accuracy.difference for row in rows if row.accuracy and row.accuracy.difference]
    if any(difference.verdict == "same" for difference in compared):
        lines.append(
            "same: no difference in accuracy was found; the brackets say how large it could be"
        )
    environment = results.environments.get(rows[0].device, {}) if rows else {}
    if note := software_note(environment, _backends(rows)):
        lines.append(note)
    if results.noise and any(row.fidelity for row in rows):
        lines.append(
            f"top-1 and SQNR were judged on {results.samples} samples of noise: the bundle was "
            "made without calibration data"
        )
    return lines


def heading(device: str, results: Results) -> str:
    """Return what was measured on, as "host: AMD EPYC, 2 cores, 1 thread; litert 2.3.0"."""
    environment = results.environments.get(device, {})
    if "browser" in environment:
        backends = _backends(row for row in results.rows if row.device == device)
        facts = tuple(browser_facts(environment, backends))
    elif environment.get("cpu") and "logical_cores" in environment:
        facts = (environment["cpu"], _counted(environment["logical_cores"], "core"))
    else:
        return device
    facts = (
        *facts,
        # A device that counts has one core and one thread whatever was asked for.
        _counted(1 if environment.get("unit") == "instructions" else results.threads, "thread"),
    )
    engines = [f"{name} {version}" for name, version in environment["engines"].items()]
    return "; ".join([f"{device}: {', '.join(facts)}", ", ".join(engines)])


def _backends(rows: Iterable[Row]) -> set[str]:
    return {row.backend for row in rows if row.backend}


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


# --- Drawing ------------------------------------------------------------------------------------


def is_in_table(row: Row) -> bool:
    """Whether there is anything to show of a row but its reason."""
    return row.statistics is not None or row.fidelity is not None


def _print(console: Console, text: str = "", style: str | None = None) -> None:
    """Print one line of text: never read as markup, and never cut."""
    console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


def _tables(columns: Sequence[Column], console: Console) -> list[Table]:
    """Return one table, or two where it would not fit."""
    if not columns:
        return []
    whole = _table(columns, console)
    if _fits(whole, console):
        return [whole]
    groups: tuple[tuple[ColumnGroup, ...], ...] = (("time",), ("size", "agreement"))
    tables = []
    for group in groups:
        part = [column for column in columns if column.group == "name" or column.group in group]
        if len(part) > 1:
            table = _table(part, console)
            tables.append(table if _fits(table, console) else _table(_folded(part), console))
    return tables


def _fits(table: Table, console: Console) -> bool:
    return (table.width or 0) <= console.width


def _folded(columns: Sequence[Column]) -> list[Column]:
    """Return the columns with the widest verdict on two lines."""
    return [
        replace(column, cells=tuple(cell.replace("not ", "not\n") for cell in column.cells))
        for column in columns
    ]


def _table(columns: Sequence[Column], console: Console) -> Table:
    from rich.measure import Measurement
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    height = max(column.header.count("\n") for column in columns)
    for column in columns:
        header = "\n" * (height - column.header.count("\n")) + column.header
        justify: Literal["left", "right"] = "left" if column.is_text else "right"
        table.add_column(Text(header), justify=justify, no_wrap=True)
    for cells in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*(Text(cell, style=cell_style(cell)) for cell in cells))
    # Left to itself, rich makes columns vanish where the terminal is too narrow.
    no_limit = console.options.update(max_width=NO_LIMIT)
    table.width = Measurement.get(console, no_limit, table).maximum
    return table


def cell_style(cell: str) -> str:
    """Return the colour of a verdict; "" for any other cell."""
    word = cell.partition(" by ")[0]
    good, bad = ("faster", "fewer", "better"), ("slower", "more", "worse", "worse: NaN")
    return "green" if word in good else "red" if word in bad else ""
