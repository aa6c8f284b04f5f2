"""Blocks that move are flagged, and steady ones are not."""

import numpy as np
import pytest

from edgekit.forms import from_form, to_form
from edgekit.results.steadiness import Steadiness, steadiness

LEVELS = (1_000.0, 1_100.0, 900.0)


def processes(*factors):
    """Blocks of three processes, each with its own level, by one factor per block."""
    return [[[level * factor] * 3 for factor in factors] for level in LEVELS]


def test_equal_blocks_are_steady_however_much_processes_differ():
    found = steadiness(processes(1, 1, 1, 1))
    assert found == Steadiness(pytest.approx(0), pytest.approx(0), ())


def test_blocks_that_grow_slower_are_a_trend():
    found = steadiness(processes(1, 1.02, 1.04, 1.0612))
    assert found.flags == ("trend",)
    assert found.trend == pytest.approx(0.06, abs=0.002)


def test_blocks_that_grow_faster_are_a_trend_too():
    assert steadiness(processes(1.06, 1.04, 1.02, 1)).trend == pytest.approx(-0.057, abs=0.002)


def test_a_trend_of_two_percent_is_not_flagged():
    assert steadiness(processes(1, 1.006, 1.012, 1.018)).flags == ()


def test_a_first_quarter_that_differs_is_flagged():
    found = steadiness(processes(1.2, 1, 1.001, 0.999))
    assert "first quarter" in found.flags
    assert found.first_quarter == pytest.approx(0.2)


def test_one_process_with_a_bad_start_is_not_all_of_them():
    calm = processes(1, 1.001, 0.999, 1.0)
    calm[0][0] = [2_000.0] * 3
    assert steadiness(calm).flags == ()


def test_the_median_of_a_block_counts_and_not_its_outliers():
    blocks = [[[100, 100, 9_000], [100, 100, 100], [100, 100, 100], [100, 100, 100]]] * 3
    assert steadiness(blocks).flags == ()


def test_blocks_too_few_for_a_trend_have_none():
    assert steadiness([[[5], [6]]]) == Steadiness(None, pytest.approx(-1 / 6), ("first quarter",))
    assert steadiness([[[5]]]) == Steadiness(None, None)
    assert steadiness([[]]) == Steadiness(None, None)


def test_a_clock_that_shows_zero_is_not_an_error():
    assert steadiness([[[0], [0], [0], [0]]] * 3).flags == ()


def test_steadiness_survives_json():
    found = steadiness(processes(1, 1.02, 1.04, 1.06))
    assert from_form(to_form(found), Steadiness) == found


@pytest.mark.parametrize(("blocks", "count", "trials"), [(4, 3, 300), (128, 5, 30)])
@pytest.mark.parametrize("spread", [0.003, 0.01, 0.03])
def test_steady_models_are_seldom_flagged(blocks, count, trials, spread):
    """spread: how much a block differs from the next; processes differ by another 2 %."""
    generator = np.random.default_rng(20261121)
    flagged = 0
    for _ in range(trials):
        noise = spread * generator.standard_normal((count, blocks))
        level = 0.02 * generator.standard_normal((count, 1))
        flagged += bool(steadiness(np.exp(noise + level)[..., None] * 1e6).flags)
    # By chance 5 % have a trend, and 3 % a first quarter that differs.
    assert flagged / trials <= 0.12


@pytest.mark.parametrize(
    ("shift", "flag"), [((0.12, 0, 0, 0), "first quarter"), ((0, 0.02, 0.04, 0.06), "trend")]
)
def test_what_moves_is_found_where_blocks_vary_by_one_percent(shift, flag):
    generator = np.random.default_rng(20261121)
    found = 0
    trials = 200
    for _ in range(trials):
        noise = 0.01 * generator.standard_normal((3, 4)) + np.array(shift)
        found += flag in steadiness(np.exp(noise)[..., None] * 1e6).flags
    assert found / trials >= 0.9
