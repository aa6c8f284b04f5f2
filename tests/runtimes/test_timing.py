"""The measuring loop."""

from __future__ import annotations

import gc
import time

import pytest

from edgekit_runtimes.job import Plan
from edgekit_runtimes.timing import (
    block_order,
    palindrome,
    runs_per_block,
    timed_block,
    timed_warmup,
)


def test_three_models_are_measured_in_the_order_a_b_c_c_b_a() -> None:
    assert palindrome(["A", "B", "C"]) == ["A", "B", "C", "C", "B", "A"]


def test_two_rounds_of_two_models_are_eight_blocks_and_no_round_is_one_block_each() -> None:
    assert "".join(model for _, model in block_order("AB", rounds=2)) == "ABBAABBA"
    assert block_order("AB", rounds=0) == [(0, "A"), (0, "B")]


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


@pytest.mark.parametrize(
    ("plan", "warmup", "expected"),
    [
        # 0.1 s at 1 ms a run.
        (Plan(block_s=0.1, rounds=2, min_runs=17), [2_000_000, 1_000_000], 100),
        # 17 runs in four blocks, though two would fill the time.
        (Plan(block_s=0.1, rounds=2, min_runs=17), [60_000_000], 5),
        # Of runs of one second as many as fit into three, of longer ones one.
        (Plan(block_s=0.1, rounds=2, min_runs=17, max_block_s=3), [1_000_000_000], 3),
        (Plan(block_s=0.1, rounds=2, min_runs=17, max_block_s=3), [9_000_000_000], 1),
        (Plan(block_s=0.1, rounds=2, min_runs=17, max_block_s=3), [60_000_000], 5),
        # An emulated board: five counted runs, no floors of time.
        (Plan(warmup_s=0, block_s=0, rounds=0, min_runs=5), [1_000], 5),
        # A clock too coarse to see the run.
        (Plan(block_s=1e-9, rounds=1, min_runs=1), [0], 1),
    ],
)
def test_a_block_is_long_enough_and_has_its_share_of_the_runs(
    plan: Plan, warmup: list[int], expected: int
) -> None:
    assert runs_per_block(plan, warmup) == expected
