"""How close two answers are."""

from __future__ import annotations

import math

import numpy as np
import pytest

from edgekit.convert.closeness import NEAR_ZERO, closeness

INF, NAN = np.inf, np.nan


def of(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def test_real_numbers_are_compared_by_the_power_of_the_error() -> None:
    assert closeness(of(3, 4), of(3, 4.5)) == pytest.approx(20)


def test_what_should_be_zero_may_be_as_far_from_it_as_float32_leaves_it() -> None:
    assert closeness(of(0, 0), of(0, NEAR_ZERO)) == math.inf
    assert closeness(of(0, 0), of(0, 1e-3)) == -math.inf


def test_nan_and_infinity_in_both_places_are_agreement() -> None:
    assert closeness(of(NAN, INF, -INF, 2), of(NAN, INF, -INF, 2)) == math.inf


@pytest.mark.parametrize("found", [of(1, 2), of(INF, INF), of(NAN, 2), of(-INF, 2)])
def test_nan_and_infinity_in_one_of_them_are_not(found: np.ndarray) -> None:
    assert closeness(of(INF, 2), found) == -math.inf
    if not np.isfinite(found).all():
        assert closeness(of(1, 2), found) == -math.inf


def test_integers_are_the_same_or_not() -> None:
    expected = np.arange(100) + 1_000_000
    assert closeness(expected, expected) == math.inf
    assert closeness(expected, np.where(expected % 10, expected, 0)) == pytest.approx(10)
    assert closeness(np.array([True, False]), np.array([True, True])) == pytest.approx(
        3.01, abs=0.1
    )


def test_other_sizes_are_not_close() -> None:
    assert closeness(of(1, 2), of(1)) == -math.inf
