"""The table of a bench that fits 80 columns: what a choice needs, one line per artifact."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from edgekit.report.columns import figure_columns, is_in_table
from edgekit.results.figures.accuracy import is_of_classes, metric_title
from edgekit.results.figures.naming import RowNames
from edgekit.results.figures.registry import figure_called
from edgekit.text.table import Column, filled, names_column, verdict_style
from edgekit.text.units import percent, significant

if TYPE_CHECKING:
    from edgekit.results.results import Row

KEYS = ("backend", "size", "latency.median", "instructions", "ratio", "verdict")
FIDELITY_KEYS = ("fidelity.top1", "fidelity.sqnr")
# The longest verdict would take a quarter of the line.
ALIKE, ALIKE_MARK = "not distinguishable", "≈"
ALIKE_MEANING = (
    f"{ALIKE_MARK} {ALIKE} from fp32: less than 1 % lies between 1 and the interval, or it holds 1"
)
# A name is folded where a modifier or an engine begins.
FOLDS = re.compile(r"(?=\+)| (?=\()")


def narrow_columns(rows: Sequence[Row], names: RowNames, is_folded: bool = False) -> list[Column]:
    """Return the columns that have a value in at least one of `rows`.

    is_folded: whether long names go over several lines.
    """
    shown = [row for row in rows if is_in_table(row)]
    cells = [names.of(row) for row in shown]
    if is_folded:
        cells = ["\n  ".join(FOLDS.split(cell)) for cell in cells]
    right = _score(shown)
    keys = KEYS if any(right.cells) else (*KEYS, *FIDELITY_KEYS)
    figures = list(figure_columns([figure_called(key) for key in keys], shown))
    return filled([names_column(cells), *map(_with_short_verdicts, figures), right])


def alike_note(rows: Sequence[Row]) -> list[str]:
    """Return what the mark means, if the table has it."""
    has_it = any(row.ratio_to_fp32 and row.ratio_to_fp32.verdict == ALIKE for row in rows)
    return [ALIKE_MEANING] if has_it else []


def _with_short_verdicts(column: Column) -> Column:
    if column.key != "verdict":
        return column
    return replace(column, cells=tuple(cell.replace(ALIKE, ALIKE_MARK) for cell in column.cells))


def _score(rows: Sequence[Row]) -> Column:
    """Return what labels say, and whether it is worse than the original."""
    judged = [row.accuracy for row in rows if row.accuracy]
    metric = next((accuracy.metric for accuracy in judged if accuracy.metric), None)
    header = metric_title(metric) if metric else "MAE"
    if any(map(is_of_classes, judged)):
        header = "accuracy\n%"
    cells = tuple(map(_score_cell, rows))
    return Column(header, cells, is_text=True, style=lambda cell: verdict_style(_word(cell)))


def _score_cell(row: Row) -> str:
    accuracy = row.accuracy
    if accuracy is None:
        return ""
    if is_of_classes(accuracy):
        value = None if accuracy.top1 is None else percent(accuracy.top1)
    else:
        score = accuracy.value if accuracy.metric else accuracy.mae
        value = None if score is None else significant(score)
    difference = accuracy.difference
    word = difference.verdict if difference and difference.verdict != "too few samples" else ""
    return f"{value or 'NaN'} {word}".rstrip()


def _word(cell: str) -> str:
    return cell.partition(" ")[2]
