"""The intervals of quantiles and of two runs: known answers, and coverage by simulation."""

import math

import numpy as np
import pytest

from edgekit.results.quantiles import compare_runs, quantile_interval

SHIFTS = (-0.1, 0.0, 0.1)


def shifted(shifts, blocks=4, runs=20):
    """Processes that are slower by e**shift than 100, each without noise."""
    return [[[100 * math.exp(shift)] * runs] * blocks for shift in shifts]


def test_the_interval_of_a_quantile_is_students_where_processes_differ():
    interval = quantile_interval(shifted(SHIFTS), 0.5)
    half = 4.3027 * 0.1 / math.sqrt(3)
    assert interval.value == pytest.approx(100)
    assert interval.low == pytest.approx(100 * math.exp(-half))
    assert interval.high == pytest.approx(100 * math.exp(half))


def test_the_value_is_the_quantile_of_all_samples():
    generator = np.random.default_rng(1)
    samples = np.exp(generator.standard_normal((3, 4, 50)))
    interval = quantile_interval(list(samples), 0.9)
    assert interval.value == pytest.approx(np.quantile(samples, 0.9, method="weibull"))
    assert interval.low < interval.value < interval.high


def test_equal_samples_have_an_interval_of_no_width():
    interval = quantile_interval(shifted((0.0, 0.0, 0.0)), 0.9)
    assert (interval.low, interval.high) == (pytest.approx(100), pytest.approx(100))


def test_one_process_with_rounds_that_are_too_short_has_no_interval():
    interval = quantile_interval([[[100, 101]] * 4], 0.5)
    assert (interval.low, interval.high) == (None, None)
    assert quantile_interval([[[100, 101] * 5] * 4], 0.5).low is not None


def test_a_clock_that_shows_zero_gives_no_interval():
    interval = quantile_interval([[[0] * 20] * 4] * 3, 0.5)
    assert (interval.value, interval.low, interval.high) == (0.0, None, None)


def test_no_samples_have_no_quantile():
    with pytest.raises(ValueError, match="no samples"):
        quantile_interval([], 0.5)


def test_two_runs_are_compared_by_their_medians_with_welchs_interval():
    ratio = compare_runs(shifted(shift + math.log(2) for shift in SHIFTS), shifted(SHIFTS))
    # Two standard errors of .1/sqrt(3) with two degrees of freedom each: four in all.
    half = 2.7764 * math.sqrt(2) * 0.1 / math.sqrt(3)
    assert ratio.value == pytest.approx(2)
    assert ratio.high == pytest.approx(2 * math.exp(half), rel=1e-4)
    assert ratio.verdict == "slower"


def test_a_quiet_run_lends_its_certainty_to_neither():
    # All of the variance is one side's, and so are the degrees of freedom.
    ratio = compare_runs(shifted((0.0, 0.0, 0.0)), shifted(SHIFTS))
    assert ratio.high == pytest.approx(math.exp(4.3027 * 0.1 / math.sqrt(3)), rel=1e-4)


def test_a_run_of_one_process_with_one_round_cannot_be_compared():
    ratio = compare_runs([[[100, 100]]], shifted(SHIFTS))
    assert (ratio.low, ratio.verdict) == (None, "not distinguishable")


# --- Coverage -----------------------------------------------------------------------------------

TIMES = 250
# Order of the blocks of one model in time, among eight of two models.
SLOTS = np.array((0, 3, 4, 7))
BLOCK_EFFECT = 0.01


def lognormal(generator, shape):
    return np.exp(0.05 * generator.standard_normal(shape))


def bimodal(generator, shape):
    return lognormal(generator, shape) * np.where(generator.random(shape) < 0.3, 1.4, 1.0)


def heavy(generator, shape):
    slow = generator.random(shape) < 0.05
    return lognormal(generator, shape) * np.where(slow, 1 + 2 * generator.random(shape), 1.0)


def a_run(generator, noise, drift, process_effect, processes=3, runs=50):
    """Processes of four blocks; each process and block has its luck, and all blocks drift."""
    luck = np.exp(process_effect * generator.standard_normal((processes, 1, 1)))
    luck = luck * np.exp(BLOCK_EFFECT * generator.standard_normal((processes, 4, 1)))
    drifting = 1 + drift * SLOTS[None, :, None]
    return list(noise(generator, (processes, 4, runs)) * luck * drifting)


@pytest.mark.parametrize("process_effect", [0.0, 0.005, 0.02])
@pytest.mark.parametrize("drift", [0.0, 0.01])
@pytest.mark.parametrize("noise", [lognormal, bimodal, heavy])
@pytest.mark.parametrize(("share", "runs"), [(0.5, 50), (0.9, 50), (0.9, 5)])
def test_the_upper_end_is_above_the_true_quantile(share, runs, noise, drift, process_effect):
    generator = np.random.default_rng(20261121)
    many = (5_000, 4, 40)
    luck = process_effect * generator.standard_normal((many[0], 1, 1))
    luck = luck + BLOCK_EFFECT * generator.standard_normal((many[0], 4, 1))
    all_of_them = noise(generator, many) * np.exp(luck) * (1 + drift * SLOTS[None, :, None])
    truth = np.quantile(all_of_them, share)
    covered = 0
    for _ in range(TIMES):
        run = a_run(generator, noise, drift, process_effect, runs=runs)
        covered += truth <= quantile_interval(run, share).high
    assert covered / TIMES >= 0.94


@pytest.mark.parametrize("process_effect", [0.0, 0.005, 0.02])
@pytest.mark.parametrize("drift", [0.0, 0.01])
@pytest.mark.parametrize("noise", [lognormal, bimodal, heavy])
def test_the_interval_of_two_runs_covers_the_true_ratio(noise, drift, process_effect):
    generator = np.random.default_rng(20261121)
    truth = 0.9
    covered = 0
    for _ in range(TIMES):
        old, new = (a_run(generator, noise, drift, process_effect) for _ in range(2))
        ratio = compare_runs([process * truth for process in new], old)
        covered += ratio.low <= truth <= ratio.high
    assert covered / TIMES >= 0.92
