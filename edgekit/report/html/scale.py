"""Logarithmic axes: equal ratios are equally long, and 60 KB fits beside 14 MB."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

# Under this span even steps are closer than round multiples of powers of ten.
WIDE_SPAN = 2.5
ROUND_DIGITS: tuple[tuple[float, ...], ...] = ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1,))
MOST_TICKS = 7
EVEN_STEPS = 4
# How a round value is written: without an exponent, and without the dust of binary fractions.
TICK = ".10g"
# An axis is never narrower than this ratio: a single point has room around it.
LEAST_SPAN = 1.25


@dataclass(frozen=True)
class LogScale:
    """Values from `low` to `high` on the way from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        """Return where `value` is."""
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.start + share * (self.end - self.start)


def scale_of(values: Iterable[float], start: float, end: float, margin: float = 0.0) -> LogScale:
    """Return the scale from the least to the greatest of `values`, all over 0.

    margin: this share of the whole is left free at both ends.
    """
    values = list(values)
    low, high = min(values), max(values)
    if high < low * LEAST_SPAN:
        middle = math.sqrt(low) * math.sqrt(high)
        low, high = middle / math.sqrt(LEAST_SPAN), middle * math.sqrt(LEAST_SPAN)
    factor = (high / low) ** (margin / (1 - 2 * margin))
    return LogScale(low / factor, high * factor, start, end)


def ticks(low: float, high: float) -> list[float]:
    """Return round values from `low` to `high`.

    Example:
        >>> ticks(38, 420), ticks(100, 140)
        ([50.0, 70.0, 100.0, 150.0, 200.0, 300.0], [100.0, 110.0, 120.0, 130.0, 140.0])
    """
    if high / low < WIDE_SPAN:
        return _even_ticks(low, high)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    inside: list[float] = []
    for digits in ROUND_DIGITS:
        values = (digit * 10.0**decade for decade in decades for digit in digits)
        inside = [value for value in values if low <= value <= high]
        if len(inside) <= MOST_TICKS:
            break
    return inside


def _even_ticks(low: float, high: float) -> list[float]:
    rough = (high - low) / EVEN_STEPS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(digit * power for digit in (1, 2, 5, 10) if digit * power >= rough - 1e-9 * power)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]
