"""How close two answers are, as one number of decibels that serves every type of output."""

from __future__ import annotations

import math

import numpy as np

from edgekit_runtimes.tensors import Array

# An output that should be zero is the difference of two numbers that are equal, each known to
# 2**-24 of itself: where the numbers are about 1, this is what float32 leaves of it.
NEAR_ZERO = 2.0**-23


def closeness(expected: Array, found: Array, near_zero: float = NEAR_ZERO) -> float:
    """Return the SQNR in dB; inf where nothing differs, -inf where one is no number.

    Real numbers count as the same within `near_zero` of each other, and NaN and infinities where
    both have them. Integers and truth values are the same or not: of them, the level is the number
    of all over the number of those that differ.
    """
    if expected.size != found.size:
        return -math.inf
    expected, found = expected.ravel(), found.ravel()
    if expected.dtype.kind not in "fV":
        differing = int((expected != found).sum())
        return 10 * math.log10(expected.size / differing) if differing else math.inf
    expected, found = expected.astype(np.float64), found.astype(np.float64)
    fine = np.isfinite(expected)
    if not np.array_equal(expected[~fine], found[~fine], equal_nan=True):
        return -math.inf
    expected, found = expected[fine], found[fine]
    if not np.isfinite(found).all():
        return -math.inf
    error = found - expected
    if np.abs(error).max(initial=0.0) <= near_zero:
        return math.inf
    power = float(expected @ expected)
    return 10 * math.log10(power / float(error @ error)) if power else -math.inf
