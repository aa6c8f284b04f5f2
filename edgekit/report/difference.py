"""What an artifact lost, in words: "same", or "worse by 1.2 [0.4, 2.1]"."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from edgekit.text.units import significant

if TYPE_CHECKING:
    from edgekit.results.accuracy import Accuracy, AccuracyDifference


def difference_cell(accuracy: Accuracy | None) -> str:
    """Return the verdict with its 95 % interval: of top-1 in points, of others in their unit.

    Beside "worse" and "better" stands by how much; beside "same" what is still possible, with a
    minus for less accuracy, or for a smaller error.
    """
    difference = accuracy.difference if accuracy else None
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
    sign = -1 if difference.verdict == _verdict_of_less(difference) else 1
    values = (sign * difference.value, *sorted(sign * end for end in ends))
    value, low, high = _texts(difference, values)
    return f"{difference.verdict} by {value} [{low}, {high}]"


def difference_header(accuracies: Iterable[Accuracy | None]) -> str:
    """Return the header over such cells: "vs original", or "vs fp32" where that is the other."""
    found = [accuracy.difference for accuracy in accuracies if accuracy and accuracy.difference]
    others = {difference.compared_with.rpartition("/")[2] for difference in found}
    unit = "points [95 %]" if any(difference.p is not None for difference in found) else "[95 %]"
    return f"vs {others.pop()}\n{unit}" if len(others) == 1 else f"vs\n{unit}"


def _verdict_of_less(difference: AccuracyDifference) -> str:
    return "worse" if difference.higher_is_better else "better"


def _texts(difference: AccuracyDifference, values: tuple[float, ...]) -> list[str]:
    if difference.p is None:
        return [significant(value) for value in values]
    points = [100 * value for value in values]
    # A decimal more where thousands of samples make the interval narrower than one tenth.
    width = points[-1] - points[-2]
    decimals = max(1, -math.floor(math.log10(width))) if width > 0 else 1
    # Not "-0.0".
    return [f"{round(point, decimals) + 0.0:.{decimals}f}" for point in points]
