"""Arithmetic beside known answers, and the interval's coverage by simulation."""

import math

import numpy as np
import pytest

from edgekit.results.statistics import (
    Ratio,
    compare,
    compare_counts,
    multiply,
    student_975,
    summarize,
)


def test_a_summary_has_median_p90_mad_and_minimum():
    summary = summarize([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    assert (summary.runs, summary.median, summary.p90) == (11, 6.0, 10.0)
    assert (summary.mad, summary.min, summary.outliers) == (3.0, 1.0, 0)


def test_an_outlier_is_counted_and_stays_in_the_figures():
    calm = [100, 101, 99, 102, 98, 100, 101, 99]
    summary = summarize([*calm, 1_000])
    assert summary.outliers == 1
    assert summary.runs == 9
    assert summary.p90 > max(calm)


def test_the_outlier_limit_is_a_modified_z_of_three_and_a_half():
    # The median is 0 and the MAD 2, so z = .6745 x / 2: 10 has 3.37 and 11 has 3.71.
    assert summarize([-2, -2, -2, 0, 2, 2, 2, 10, -10]).outliers == 0
    assert summarize([-2, -2, -2, 0, 2, 2, 2, 11, -11]).outliers == 2


def test_with_a_coarse_clock_one_tick_off_is_not_an_outlier():
    ticks = [100] * 60 + [200] * 40
    assert summarize(ticks).mad == 0
    assert summarize(ticks).outliers == 0
    assert summarize([*ticks, 5_000]).outliers == 1


def test_equal_samples_have_no_outliers():
    assert summarize([7, 7, 7]).outliers == 0


def test_no_samples_cannot_be_summarized():
    with pytest.raises(ValueError, match="no samples"):
        summarize([])


@pytest.mark.parametrize(
    ("freedom", "published"),
    [
        *((1, 12.7062), (2, 4.3027), (5, 2.5706), (10, 2.2281), (11, 2.2010)),
        *((14, 2.1448), (20, 2.0860), (29, 2.0452), (60, 2.0003), (1000, 1.9623)),
    ],
)
def test_student_quantiles_are_those_of_the_published_table(freedom, published):
    assert student_975(freedom) == pytest.approx(published, abs=1e-4)


def test_twice_the_time_is_a_ratio_of_two():
    reference = [[[100, 110, 90]] * 4] * 3
    candidate = [[[200, 220, 180]] * 4] * 3
    ratio = compare(candidate, reference)
    assert ratio.value == pytest.approx(2)
    assert ratio.low == pytest.approx(2)
    assert ratio.verdict == "slower"
    assert compare(reference, candidate).verdict == "faster"


def test_a_steady_drift_of_the_machine_cancels_within_a_round():
    # A B B A B A A B … in the order of time, each block 5 % slower than the one before.
    times = [100 * 1.05**step for step in range(8)]
    reference = [[[times[step]] for step in (0, 3, 4, 7)]] * 3
    candidate = [[[times[step]] for step in (1, 2, 5, 6)]] * 3
    ratio = compare(candidate, reference)
    assert ratio.value == pytest.approx(1, abs=1e-12)
    assert ratio.high == pytest.approx(1, abs=1e-12)


def test_the_interval_is_students_over_processes_however_much_their_rounds_differ():
    # Three log-ratios: -.1, 0 and .1. The rounds of each are .3 off to both sides.
    reference = [[[1.0]] * 4] * 3
    candidate = [
        [[math.exp(shift + off)] for off in (-0.3, -0.3, 0.3, 0.3)] for shift in (-0.1, 0.0, 0.1)
    ]
    ratio = compare(candidate, reference)
    half = 4.3027 * 0.1 / math.sqrt(3)
    assert ratio.low == pytest.approx(math.exp(-half))
    assert ratio.high == pytest.approx(math.exp(half))


def test_the_interval_of_a_single_process_is_students_over_its_rounds():
    candidate = [[math.exp(shift)] for shift in (-0.1, -0.1, 0.0, 0.0, 0.1, 0.1)]
    ratio = compare([candidate], [[[1.0]] * 6])
    assert ratio.value == pytest.approx(1)
    assert ratio.high == pytest.approx(math.exp(4.3027 * 0.1 / math.sqrt(3)))


def test_a_process_with_more_rounds_counts_no_more_than_another():
    reference = [[[1.0]] * 4, [[1.0]] * 8]
    candidate = [[[1.0]] * 4, [[4.0]] * 8]
    assert compare(candidate, reference).value == pytest.approx(2)


def test_one_process_with_one_round_has_no_interval_and_no_claim():
    ratio = compare([[[100], [100]]], [[[500], [500]]])
    assert ratio == Ratio(pytest.approx(0.2), None, None)
    assert ratio.verdict == "not distinguishable"


def test_blocks_without_a_counterpart_are_refused():
    with pytest.raises(ValueError, match="3 blocks cannot be compared with 4"):
        compare([[[1]] * 3], [[[1]] * 4])


def test_a_ratio_of_counts_is_that_of_the_fewest_between_the_extremes():
    ratio = compare_counts([500, 510, 500], [1000, 1000, 1020])
    assert ratio == Ratio(0.5, 500 / 1020, 510 / 1000, counted=True)
    assert ratio.verdict == "fewer"
    assert compare_counts([1000, 1020], [500]).verdict == "more"
    assert compare_counts([1000, 1005], [1001]).verdict == "not distinguishable"


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.5, 0.989, "faster"),
        (0.5, 0.991, "not distinguishable"),
        (0.98, 0.995, "not distinguishable"),
        (0.9, 1.2, "not distinguishable"),
        (1.009, 1.2, "not distinguishable"),
        (1.011, 1.2, "slower"),
    ],
)
def test_a_verdict_needs_the_whole_interval_beyond_one_percent(low, high, verdict):
    assert Ratio(math.sqrt(low * high), low, high).verdict == verdict


def test_a_product_of_ratios_adds_their_errors_in_quadrature():
    first = Ratio(0.5, 0.5 / math.exp(0.03), 0.5 * math.exp(0.03))
    second = Ratio(0.1, 0.1 / math.exp(0.04), 0.1 * math.exp(0.04))
    product = multiply(first, second)
    assert product.derived
    assert product.value == pytest.approx(0.05)
    assert product.low == pytest.approx(0.05 * math.exp(-0.05))
    assert product.high == pytest.approx(0.05 * math.exp(0.05))


def test_a_product_with_an_unknown_interval_has_none():
    product = multiply(Ratio(0.5, 0.4, 0.6), Ratio(2.0, None, None))
    assert product == Ratio(1.0, None, None, derived=True)


# --- Coverage -----------------------------------------------------------------------------------

COMPARISONS = 400
SAMPLES = 15
# Rounds by processes. benchmarks/interval_coverage.py has as many as both plans give fast models.
ROUNDS = {3: 2, 4: 4, 5: 8}


def lognormal(generator, shape):
    return np.exp(0.05 * generator.standard_normal(shape))


def bimodal(generator, shape):
    slow = generator.random(shape) < 0.3
    return lognormal(generator, shape) * np.where(slow, 1.4, 1.0)


def steady(generator, shape):
    return np.ones(shape)


def steady_drift(generator, shape):
    """Each block is 1 % slower than the one before."""
    return 1 + 0.01 * np.tile(np.arange(shape[1]), (shape[0], 1))


def changing_weather(generator, shape):
    """Each block is up to some percent slower or faster than the one before."""
    return np.exp(0.01 * generator.standard_normal(shape).cumsum(axis=1))


@pytest.mark.parametrize("process_effect", [0.0, 0.005, 0.02])
@pytest.mark.parametrize("machine", [steady, steady_drift, changing_weather])
@pytest.mark.parametrize("noise", [lognormal, bimodal])
@pytest.mark.parametrize("processes", ROUNDS)
def test_the_interval_covers_the_true_ratio(noise, machine, process_effect, processes):
    """Each block is off by another 1 %; process_effect: how far off a process is."""
    generator = np.random.default_rng(20261121)
    truth = 0.9
    rounds = ROUNDS[processes]
    # Order of the blocks of a process in time: A B B A A B B A.
    slots = np.arange(4 * rounds).reshape(rounds, 4)
    covered = 0
    for _ in range(COMPARISONS):
        blocks = machine(generator, (processes, 4 * rounds))
        blocks = blocks * np.exp(0.01 * generator.standard_normal(blocks.shape))
        samples = blocks[..., None] * noise(generator, (*blocks.shape, SAMPLES))
        luck = np.exp(process_effect * generator.standard_normal((processes, 1, 1)))
        reference = samples[:, slots[:, [0, 3]].ravel()]
        candidate = samples[:, slots[:, [1, 2]].ravel()] * truth * luck
        ratio = compare(candidate, reference)
        covered += ratio.low <= truth <= ratio.high
    assert 0.92 <= covered / COMPARISONS <= 0.99


@pytest.mark.parametrize("noise", [lognormal, bimodal])
def test_equal_models_are_called_different_in_at_most_five_of_a_hundred(noise):
    generator = np.random.default_rng(20261121)
    verdicts = []
    for _ in range(COMPARISONS):
        samples = noise(generator, (2, 3, 4, SAMPLES))
        luck = np.exp(0.01 * generator.standard_normal((2, 3, 1, 1)))
        verdicts.append(compare(*(samples * luck)).verdict)
    assert verdicts.count("not distinguishable") / COMPARISONS >= 0.95
