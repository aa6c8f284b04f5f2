"""A value with its interval, as gates and comparisons read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgekit.results.results import Results, Row
    from edgekit.results.statistics import Ratio


@dataclass(frozen=True)
class Measured:
    """A value in base units, and its 95 % interval; low and high are None if there is none."""

    value: float
    low: float | None
    high: float | None

    def mapped(self, function: Callable[[float], float]) -> Measured:
        """Return what a rising or falling function gives for the value."""
        low, high = (None if end is None else function(end) for end in (self.low, self.high))
        is_falling = function(1.0) < function(0.0)
        return Measured(function(self.value), *((high, low) if is_falling else (low, high)))


# What a row says about a figure: the value, the reason why there is none (which breaks a gate), or
# None if the row has nothing of the kind: no labels, no original, no class axis.
Found = Measured | str | None
Read = Callable[["Row", "Results"], Found]


def exact(value: float) -> Measured:
    """Return what repeats."""
    return Measured(value, value, value)


def of_ratio(ratio: Ratio) -> Measured:
    """Return a ratio with its interval."""
    return Measured(ratio.value, ratio.low, ratio.high)


def saved(read_lost: Read) -> Read:
    """Return a reader of what is saved, given one of what is lost."""

    def read(row: Row, results: Results) -> Found:
        lost = read_lost(row, results)
        return lost.mapped(lambda value: 0 - value) if isinstance(lost, Measured) else lost

    return read
