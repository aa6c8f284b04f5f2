"""How long the rest of a bench takes."""

import dataclasses

import pytest

from edgekit.bench.pace import START_S, Pace, Work, measuring_s
from edgekit.bench.progress import time_left
from edgekit.results.plan import QUICK, THOROUGH

CHECK = Work("check", ("a",), samples=10)
PAIR = Work("time", ("a", "b"), ("b",))
NS = 1_000_000_000


def test_before_anything_was_seen_the_plan_says_how_long_it_takes():
    # Two models: half a second of warm-up and three tenths of measuring each.
    assert Pace(QUICK.worker).left_s([PAIR]) == pytest.approx(2 * (START_S + 0.5 + 0.3))


def test_a_group_that_was_timed_takes_as_long_again_in_any_order():
    pace = Pace(QUICK.worker)
    pace.finished(PAIR, 7.0)
    turned = Work("time", ("b", "a"), ("b",), process=1)
    assert pace.left_s([turned, turned]) == 14.0


def test_a_slow_start_that_was_seen_is_expected_again():
    pace = Pace(QUICK.worker)
    pace.saw_first_run("a", 0.2 * NS)
    pace.finished(CHECK, 8.0)
    assert pace.left_s([CHECK]) == pytest.approx(8.0)
    # Six seconds are not those of the ten samples.
    assert pace.left_s([Work("evaluate", ("a",), samples=100)]) == pytest.approx(6 + 20)


def test_a_first_run_that_compiles_is_not_taken_for_every_run():
    pace = Pace(QUICK.worker)
    pace.saw_first_run("a", 0.34 * NS)
    pace.finished(Work("check", ("a",), samples=64), 2.3)
    # Ten times as long was expected: 13 runs of .34 s instead of .3 s.
    assert pace.left_s([Work("time", ("a",), ("a",))]) < 2.3 + 0.5 + 0.5


def test_a_measured_run_counts_more_than_the_first_one():
    pace = Pace(QUICK.worker)
    pace.saw_run("a", 0.01 * NS)
    pace.saw_first_run("a", 0.5 * NS)
    evaluation = Work("evaluate", ("a",), samples=1_000)
    assert pace.left_s([evaluation]) == pytest.approx(START_S + 10)


def test_slow_models_take_as_long_as_their_fewest_runs():
    # 205 runs in four blocks are 52 per block.
    assert measuring_s(THOROUGH.worker, [1.0]) == pytest.approx(1 + 4 * 52)
    # 13 runs in four blocks are four per block, except for the longest time that the plan allows.
    assert measuring_s(QUICK.worker, [0.5]) == pytest.approx(0.5 + 4 * 0.5 * 4)
    assert measuring_s(QUICK.worker, [1.0]) == pytest.approx(1 + 4 * 3)
    assert measuring_s(QUICK.worker, [2.0]) == pytest.approx(2 + 4 * 2 * 2)
    assert measuring_s(QUICK.worker, [9.0]) == pytest.approx(9 + 4 * 9)


def test_a_thorough_pair_takes_about_two_minutes():
    works = [dataclasses.replace(PAIR, process=number) for number in range(THOROUGH.processes)]
    assert 120 < Pace(THOROUGH.worker).left_s(works) < 150


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((None, ""), (0.2, ", about 0 s left"), (99.4, ", about 99 s left")),
        *((100, ", about 2 min left"), (3_500, ", about 58 min left")),
        *((3_590, ", about 1 h 00 min left"), (7_500, ", about 2 h 05 min left")),
    ],
)
def test_the_time_left_is_said_roughly(seconds, text):
    assert time_left(seconds) == text
