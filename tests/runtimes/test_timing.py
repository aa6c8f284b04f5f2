"""The measuring loop."""

from __future__ import annotations

import gc
import time

import pytest

from edgekit_runtimes.protocol.job import Plan
from edgekit_runtimes.timing import (
    palindrome,
    plan_blocks,
    round_order,
    timed_block,
    timed_warmup,
)


def test_three_models_are_measured_in_the_order_a_b_c_c_b_a() -> None:
    assert palindrome(["A", "B", "C"]) == ["A", "B", "C", "C", "B", "A"]


def test_a_round_is_palindromic_and_without_rounds_each_model_has_one_block() -> None:
    assert "".join(round_order("AB", Plan())) == "ABBA"
    assert "".join(round_order("AB", Plan(rounds=0))) == "AB"


def test_a_block_has_as_many_runs_as_asked_for_and_one_sample_each() -> None:
    calls: list[int] = []
    samples = timed_block(lambda: calls.append(1), runs=7)
    assert len(samples) == len(calls) == 7
    assert all(sample > 0 for sample in samples)


@pytest.mark.parametrize(("runs", "seconds"), [(2, 0.05), (30, 0.05)])
def test_the_warm_up_lasts_for_its_runs_and_for_its_time(runs: int, seconds: float) -> None:
    start = time.perf_counter()
    plan = Plan(warmup_runs=runs, warmup_s=seconds)
    samples = timed_warmup(lambda: time.sleep(0.002), plan)
    assert time.perf_counter() - start >= seconds
    assert max(runs, 2) <= len(samples) <= max(runs, 25)


def test_the_warm_up_has_one_run_where_the_plan_asks_for_none() -> None:
    assert len(timed_warmup(lambda: None, Plan(warmup_runs=0, warmup_s=0))) == 1


def test_a_sample_is_the_time_of_its_call() -> None:
    (sample,) = timed_block(lambda: time.sleep(0.02), runs=1)
    assert 20e6 <= sample < 200e6


def test_garbage_is_collected_after_a_block_and_not_within() -> None:
    inside: list[bool] = []
    timed_block(lambda: inside.append(gc.isenabled()), runs=3)
    assert inside == [False] * 3
    assert gc.isenabled()


def test_garbage_collection_is_back_on_after_a_failure() -> None:
    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        timed_block(fail, runs=1)
    assert gc.isenabled()


MS = 1_000_000
QUICK = Plan(block_s=0.005, block_runs=3, rounds=2, min_runs=13, min_s=0.3, max_s=12.0)


@pytest.mark.parametrize(
    ("plan", "warmup", "rounds", "runs"),
    [
        # 300 runs of 1 ms in blocks of five.
        (QUICK, [2 * MS, 1 * MS], 30, 5),
        # 15 runs of 20 ms in blocks of three at least.
        (QUICK, [20 * MS], 2, 4),
        # Of runs of 100 ms three would fill the time, and thirteen are asked for.
        (QUICK, [100 * MS], 2, 4),
        # Of runs of one second as many as take twelve, of longer ones one per block.
        (QUICK, [1_000 * MS], 2, 3),
        (QUICK, [9_000 * MS], 2, 1),
        # Without a time to fill the rounds are the plan's, however short the blocks.
        (Plan(block_s=0.05, rounds=1), [4 * MS], 1, 13),
        (Plan(rounds=2, min_runs=17), [4 * MS], 2, 5),
        # An emulated board: five counted runs, no floors of time.
        (Plan(warmup_s=0, rounds=0, min_runs=5), [1_000], 1, 5),
        # A clock too coarse to see the run.
        (Plan(block_s=1e-9, rounds=1), [0], 1, 1),
    ],
)
def test_rounds_are_many_where_runs_are_short_and_blocks_hold_their_share_of_the_runs(
    plan: Plan, warmup: list[int], rounds: int, runs: int
) -> None:
    assert plan_blocks(plan, {"A": warmup}) == (rounds, {"A": runs})


def test_models_beside_a_slow_one_have_its_few_rounds_and_as_much_time_as_alone() -> None:
    rounds, runs = plan_blocks(QUICK, {"slow": [20 * MS], "fast": [1 * MS]})
    assert (rounds, runs) == (2, {"slow": 4, "fast": 75})


def test_no_model_is_left_to_plan_for_where_all_failed() -> None:
    assert plan_blocks(QUICK, {}) == (1, {})
