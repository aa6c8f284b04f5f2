"""The time of any row over that of any other of its device, by way of what was measured in turns.

Two rows of a device were measured at different times, and a machine changes its pace: their medians
are not compared. Each ran beside the fp32 artifact of its format, and the fp32 artifacts ran beside
each other, so the ratio of two rows is a product of ratios that were measured in turns.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from edgekit.results import REFERENCE_RECIPE
from edgekit.results.figures.figure import is_counted
from edgekit.results.figures.times import measured_processes
from edgekit.results.quantiles import compare_runs
from edgekit.results.results import Row
from edgekit.results.statistics import Ratio, compare, compare_counts, multiply


@dataclass(frozen=True)
class Placed:
    """A row on the scale that all rows of its device share.

    time: fp32's median times the row's ratio to it, in the row's unit. low, high: the same of the
    ratio's interval; None where there is none.
    """

    row: Row
    time: float
    low: float | None
    high: float | None


class Timing:
    """How the rows of one device compare in time, or in instructions.

    rows: those with statistics are compared; all of one device.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = tuple(filter(_can_be_placed, rows))
        self._fp32 = {_family(row): row for row in self.rows if row.recipe == REFERENCE_RECIPE}
        self._steps: dict[tuple[int, int], Ratio] = {}

    def reference(self, row: Row) -> Row | None:
        """Return the fp32 row that `row` was measured beside, or is."""
        anchor = self._fp32.get(_family(row))
        return anchor if anchor is row or row.ratio_to_fp32 else None

    def placed(self, row: Row) -> Placed:
        """Return the row on the scale of its device."""
        assert row.statistics is not None
        if is_counted(row):
            return Placed(row, row.statistics.min, None, None)
        anchor, ratio = self.reference(row), row.ratio_to_fp32
        if anchor is None or anchor.statistics is None or ratio is None or anchor is row:
            return Placed(row, row.statistics.median, None, None)
        one = anchor.statistics.median
        ends = (None if end is None else end * one for end in (ratio.low, ratio.high))
        return Placed(row, ratio.value * one, *ends)

    def ratio(self, row: Row, other: Row) -> Ratio:
        """Return the time of one row over that of another, derived where it has to be."""
        if is_counted(row):
            return compare_counts(_counts(row), _counts(other))
        anchors = self.reference(row), self.reference(other)
        if anchors[0] is None or anchors[1] is None:
            return _compare_apart(row, other)
        factors = [
            *([row.ratio_to_fp32] if row is not anchors[0] else ()),
            *([self._step(anchors[0], anchors[1])] if anchors[0] is not anchors[1] else ()),
            *([other.ratio_to_fp32] if other is not anchors[1] else ()),
        ]
        if other is not anchors[1]:
            factors[-1] = _inverse(factors[-1])
        return _product([factor for factor in factors if factor is not None])

    def _step(self, first: Row, second: Row) -> Ratio:
        """Return the ratio of two fp32 rows, which were measured beside each other."""
        key = (id(first), id(second))
        if key not in self._steps:
            try:
                self._steps[key] = compare(measured_processes(first), measured_processes(second))
            except ValueError:
                # They were not: their results come from different runs.
                self._steps[key] = _compare_apart(first, second)
        return self._steps[key]


def _can_be_placed(row: Row) -> bool:
    if row.statistics is None:
        return False
    values = (row.statistics.median, row.statistics.min)
    return all(math.isfinite(value) and value > 0 for value in values)


def _family(row: Row) -> tuple[str, str | None, str | None]:
    return row.format, row.engine, row.backend


def _compare_apart(row: Row, other: Row) -> Ratio:
    """Return the ratio of two rows that were not measured in turns; no interval without samples."""
    runs = measured_processes(row), measured_processes(other)
    if all(runs):
        return compare_runs(*runs)
    assert row.statistics is not None
    assert other.statistics is not None
    return Ratio(row.statistics.median / other.statistics.median, None, None)


def _counts(row: Row) -> list[int]:
    assert row.statistics is not None
    found = [n for process in measured_processes(row) for block in process for n in block]
    return found or [round(row.statistics.min)]


def _inverse(ratio: Ratio | None) -> Ratio | None:
    if ratio is None:
        return None
    low, high = ratio.low, ratio.high
    return Ratio(1 / ratio.value, 1 / high if high else None, 1 / low if low else None)


def _product(factors: Sequence[Ratio]) -> Ratio:
    if not factors:
        return Ratio(1.0, 1.0, 1.0)
    whole, *rest = factors
    for factor in rest:
        whole = multiply(whole, factor)
    return whole
