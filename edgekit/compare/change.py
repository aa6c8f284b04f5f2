"""How one figure of a row changed between two results.

The two runs were not measured side by side, so times are compared by `quantiles.compare_runs`, and
accuracies by the intervals of each: which samples each got right is not in the results. Sizes are
exact, and so are instruction counts except for one in a thousand.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from edgekit.gates.gate import json_number
from edgekit.results.figures.difference import is_higher_better
from edgekit.results.figures.figure import Compared, Figure
from edgekit.results.figures.measured import Measured, exact, of_ratio
from edgekit.results.results import Row
from edgekit.results.statistics import Ratio
from edgekit.text.quantities import DECIBELS

# About 1 % of the error: less is rounding, and no table shows it.
SQNR_TOLERANCE_DB = 0.1


@dataclass(frozen=True)
class Change:
    """A figure of one row, before and now.

    figure: its name in comparisons. old, new: in base units.
    regression: how much worse it became as a share of what it was; better is under 0. Of SQNR: how
    much larger the error became.
    verdict: "faster", "slower" or "not distinguishable" for times; "smaller", "larger", "fewer",
    "more", "better", "worse" or "same" for others.
    ratio: new time over old time, where it is one.
    """

    figure: str
    old: float
    new: float
    regression: Measured
    verdict: str
    ratio: Ratio | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form; infinite values are strings."""
        worse = {key: json_number(value) for key, value in asdict(self.regression).items()}
        return {
            "figure": self.figure,
            "old": json_number(self.old),
            "new": json_number(self.new),
            "verdict": self.verdict,
            "regression": worse,
        }


def change_of(figure: Figure, old: Row, new: Row, was: Measured, found: Measured) -> Change:
    """Return the change of a figure that is `was` in the old row and `found` in the new one."""
    rule = figure.compared or Compared(figure.key)
    name = rule.name
    ratio = rule.ratio_between(old, new) if rule.ratio_between else None
    if ratio is not None:
        worse = of_ratio(ratio).mapped(lambda value: value - 1)
        return Change(name, was.value, found.value, worse, ratio.verdict, ratio)
    is_rising = _is_rising(figure, new)
    if figure.quantity is DECIBELS:
        worse = _louder_error(was.value, found.value)
    else:
        worse = _regression(was, found, is_rising)
    is_within = 0 < abs(worse.value) <= rule.tolerance
    if is_within or (was.value == found.value and _answer_alike(old, new)):
        worse = exact(0.0)
    return Change(name, was.value, found.value, worse, _verdict(figure, worse, is_rising))


def _answer_alike(old: Row, new: Row) -> bool:
    """Return whether both are the same artifact, as far as size and outputs show.

    Its accuracy is then the same by more than chance, and no interval is needed.
    """
    return old.bytes == new.bytes and old.fidelity is not None and old.fidelity == new.fidelity


def _is_rising(figure: Figure, row: Row) -> bool:
    """Return whether higher is better."""
    if figure.kind.better == "by name" and row.accuracy and row.accuracy.metric:
        return is_higher_better(row.accuracy.metric)
    return figure.kind.better == "more"


def _verdict(figure: Figure, worse: Measured, is_rising: bool) -> str:
    less, more = figure.quantity.less, figure.quantity.more
    words = (more, less) if is_rising else (less, more)
    better_word, worse_word = words if less else ("better", "worse")
    if worse.high is not None and worse.high < 0:
        return better_word
    return worse_word if worse.low is not None and worse.low > 0 else "same"


def _regression(was: Measured, found: Measured, is_rising: bool) -> Measured:
    difference = difference_of(found, was)
    sign = -1 if is_rising else 1
    if was.value == 0:
        # Nothing is a share of zero: any loss is too much.
        change = sign * difference.value
        return exact(math.copysign(math.inf, change) if change else 0.0)
    unit = sign * abs(was.value)
    # Not -0.0, which a table would show.
    return difference.mapped(lambda value: value / unit + 0.0)


def _louder_error(was: float, found: float) -> Measured:
    """Return how much larger the error of an output became, from its level in dB before and now."""
    if was == found or abs(was - found) < SQNR_TOLERANCE_DB:
        return exact(0.0)
    if math.inf in (was, -found):
        return exact(math.inf)
    return exact(10 ** ((was - found) / 20) - 1)


def difference_of(first: Measured, second: Measured) -> Measured:
    """Return the difference of two figures whose errors are independent.

    Each end takes the error of the one figure upwards and of the other downwards, in quadrature: of
    two Wilson intervals that is Newcombe's interval (method 10 in Statistics in Medicine 17:873,
    1998), for figures in general Zou and Donner's (Statistics in Medicine 27:1693, 2008). On the
    same samples errors are alike and in part cancel, so the interval is wider than it needs to be.
    """
    value = first.value - second.value
    if None in (first.low, first.high, second.low, second.high):
        return Measured(value, None, None)
    low, high = float(first.low or 0), float(first.high or 0)
    other_low, other_high = float(second.low or 0), float(second.high or 0)
    below = math.hypot(first.value - low, other_high - second.value)
    above = math.hypot(high - first.value, second.value - other_low)
    return Measured(value, value - below, value + above)
