"""What an artifact lost, in words: "same", or "worse by 1.2 [0.4, 2.1]"."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from edgekit.text.units import significant

if TYPE_CHECKING:
    from edgekit.results.accuracy import AccuracyDifference
    from edgekit.results.results import Row

# What the name of a metric ends with where less is better.
LOWER_IS_BETTER = ("_error", "_loss", "_distance")


def is_higher_better(metric: str) -> bool:
    """Return which way a user's metric points, as its name says."""
    return not metric.endswith(LOWER_IS_BETTER)


def difference_cell(row: Row) -> str:
    """Return the verdict with its 95 % interval: of top-1 in points, of others in their unit.

    After "worse" and "better" comes by how much; after "same" what is still possible, with a
    minus for less accuracy, or for a smaller error.
    """
    difference = row.accuracy.difference if row.accuracy else None
    if difference is None:
        return ""
    if difference.value is None:
        return f"{difference.verdict}: NaN"
    if difference.low is None or difference.high is None:
        return difference.verdict
    ends = (difference.low, difference.high)
    if difference.verdict == "same":
        low, high = _texts(difference, ends)
        return f"same [{low}, {high}]"
    less = "worse" if difference.higher_is_better else "better"
    sign = -1 if difference.verdict == less else 1
    values = (sign * difference.value, *sorted(sign * end for end in ends))
    value, low, high = _texts(difference, values)
    return f"{difference.verdict} by {value} [{low}, {high}]"


def difference_words(row: Row) -> str:
    """Return the same with its unit, as a sentence needs it."""
    difference = row.accuracy.difference if row.accuracy else None
    has_points = difference is not None and difference.p is not None and difference.low is not None
    return f"{difference_cell(row)} points" if has_points else difference_cell(row)


def difference_title(rows: Iterable[Row]) -> str:
    """Return the header over such cells: "vs original", or "vs fp32" where that is the other."""
    found = [row.accuracy.difference for row in rows if row.accuracy and row.accuracy.difference]
    if not found:
        return "vs original"
    others = {difference.compared_with.rpartition("/")[2] for difference in found}
    unit = "points [95 %]" if any(difference.p is not None for difference in found) else "[95 %]"
    return f"vs {others.pop()}\n{unit}" if len(others) == 1 else f"vs\n{unit}"


def _texts(difference: AccuracyDifference, values: tuple[float, ...]) -> list[str]:
    if difference.p is None:
        return [significant(value) for value in values]
    points = [100 * value for value in values]
    # A decimal more where thousands of samples make the interval narrower than one tenth.
    width = points[-1] - points[-2]
    decimals = max(1, -math.floor(math.log10(width))) if width > 0 else 1
    # Not "-0.0".
    return [f"{round(point, decimals) + 0.0:.{decimals}f}" for point in points]
