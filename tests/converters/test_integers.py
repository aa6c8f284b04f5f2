"""Weights as integers, whatever the format."""

import numpy as np
import pytest

from edgekit_converters.integers import integer_table, signs


def values_of(table):
    return table.integers * table.scales.astype(np.float32)


@pytest.mark.parametrize("lowest", [-1e9, float(np.finfo(np.float32).min)])
def test_a_mask_is_stored_exactly(lowest):
    mask = np.where(np.tril(np.ones((5, 5), bool)), 0, lowest).astype(np.float32)
    integers, scale = signs(mask)
    assert integers.dtype == np.int8
    assert (integers * scale == mask).all()
    assert signs(np.float32([[0, 1, 2]])) is None


def test_scales_of_rows_are_half_as_large_where_half_precision_holds_them():
    table = np.random.default_rng(0).standard_normal((50, 16)).astype(np.float32)
    for size, dtype in ((1, np.float16), (1e-4, np.float32), (1e8, np.float32)):
        stored = integer_table(table * np.float32(size), 0)
        assert stored.scales.dtype == dtype
        assert stored.scales.shape == (50, 1)
        error = np.abs(values_of(stored) - table * np.float32(size))
        assert (error <= 0.6 * stored.scales.astype(np.float32)).all()


def test_short_rows_share_one_scale_with_the_whole_table():
    table = np.random.default_rng(0).standard_normal((500, 4)).astype(np.float32)
    stored = integer_table(table, 0)
    assert stored.scales.shape == ()
    assert np.abs(values_of(stored) - table).max() <= 0.6 * np.abs(table).max() / 127


def test_rows_are_unlike_where_half_of_them_would_lose_a_bit():
    table = np.random.default_rng(0).uniform(-1, 1, (50, 16)).astype(np.float32)
    assert not integer_table(table, 0).has_unlike_rows
    table[::2] /= 4
    table[1] /= 4
    assert integer_table(table, 0).has_unlike_rows


def test_a_table_of_zeros_stays_zero():
    assert (values_of(integer_table(np.zeros((4, 16), np.float32), 1)) == 0).all()
