"""The measuring loop: blocks of runs, in palindromic order."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from edgekit_runtimes.job import Plan

NS = 1_000_000_000

Item = TypeVar("Item")


def timed_block(call: Callable[[], object], runs: int) -> list[int]:
    """Call the function `runs` times and return the nanoseconds of each call.

    Garbage collection is off meanwhile. The loop is as short as can be: a model of some megabytes
    throws Python's own objects out of the caches, and each one touched here costs a little then.
    """
    clock = time.perf_counter_ns
    samples = [0] * runs
    collecting = gc.isenabled()
    gc.disable()
    try:
        for number in range(runs):
            before = clock()
            call()
            samples[number] = clock() - before
    finally:
        if collecting:
            gc.enable()
    return samples


def timed_warmup(call: Callable[[], object], plan: Plan) -> list[int]:
    """Call the function as often and as long as the plan says, at least once.

    Returns the nanoseconds of each call.
    """
    end = time.perf_counter_ns() + round(plan.warmup_s * NS)
    samples = timed_block(call, max(plan.warmup_runs, 1))
    while time.perf_counter_ns() < end:
        samples += timed_block(call, 1)
    return samples


def palindrome(items: Sequence[Item]) -> list[Item]:
    """Return A B C C B A for A B C: a drift of the machine meets all of them alike."""
    return [*items, *reversed(items)]


def block_order(models: Sequence[Item], rounds: int) -> list[tuple[int, Item]]:
    """Return (round, model) for every measured block, in the order of time."""
    if rounds == 0:
        return [(0, model) for model in models]
    return [(number, model) for number in range(rounds) for model in palindrome(models)]


def runs_per_block(plan: Plan, warmup: Sequence[int]) -> int:
    """Return how many runs a block has: the same number in every block of a model.

    warmup: ns of the warm-up runs. The fastest counts, so that a block is not shorter than
    plan.block_s where the model gets faster still.
    """
    fastest = max(min(warmup), 1)
    for_duration = math.ceil(plan.block_s * NS / fastest)
    for_total = math.ceil(plan.min_runs / max(2 * plan.rounds, 1))
    if plan.max_block_s:
        for_total = min(for_total, math.floor(plan.max_block_s * NS / fastest))
    return max(for_duration, for_total, 1)
