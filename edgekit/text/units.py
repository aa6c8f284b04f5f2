"""Numbers as people read them: three significant digits, one unit for a whole column."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

# A column takes the largest unit that leaves its smallest value at or above this.
SMALLEST_IN_UNIT = 0.5


@dataclass(frozen=True)
class Unit:
    """A unit: its word, and how many base units (bytes, ns) it is worth."""

    word: str
    size: float


# Decimal, as download sizes and the budgets of gates are.
BYTE_UNITS = (Unit("MB", 1e6), Unit("KB", 1e3), Unit("B", 1))
TIME_UNITS = (Unit("s", 1e9), Unit("ms", 1e6), Unit("µs", 1e3), Unit("ns", 1))
COUNT_UNITS = (Unit("G", 1e9), Unit("M", 1e6), Unit("k", 1e3), Unit("", 1))


def pick_unit(values: Iterable[float], units: tuple[Unit, ...]) -> Unit:
    """Return the unit that suits all `values` (in base units); zeros do not count."""
    smallest = min((value for value in values if value > 0), default=0.0)
    fitting = (unit for unit in units if smallest / unit.size >= SMALLEST_IN_UNIT)
    return next(fitting, units[-1])


def significant(value: float) -> str:
    """Return `value` with three significant digits and no exponent.

    Example:
        >>> significant(0.05123), significant(9.999), significant(12345)
        ('0.0512', '10.0', '12300')
    """
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else str(value)
    rounded = float(f"{value:.2e}")
    decimals = max(0, 2 - math.floor(math.log10(abs(rounded))))
    return f"{rounded:.{decimals}f}"


def percent(share: float) -> str:
    """Return a share in percent with one decimal, rounded down: only 1 is "100.0".

    Example:
        >>> percent(0.9996), percent(1), percent(0.29)
        ('99.9', '100.0', '29.0')
    """
    # The term undoes representation errors (.29 * 1000 is 289.99…), not real differences.
    return f"{math.floor(share * 1000 + 1e-6) / 10:.1f}"


def with_interval(
    text: Callable[[float], str], value: float, low: float | None, high: float | None
) -> str:
    """Return a value with its interval, where it has one, as "0.512 [0.498, 0.526]"."""
    if low is None or high is None:
        return text(value)
    return f"{text(value)} [{text(low)}, {text(high)}]"
