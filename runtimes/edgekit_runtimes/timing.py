"""The measuring loop: blocks of runs, in palindromic order."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from edgekit_runtimes.protocol.job import Plan

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
    """Return A B C C B A for A B C: a drift of the machine affects all of them alike."""
    return [*items, *reversed(items)]


def round_order(models: Sequence[Item], plan: Plan) -> list[Item]:
    """Return the order of the blocks in one round."""
    return palindrome(models) if plan.rounds else list(models)


def plan_blocks(plan: Plan, warmups: Mapping[Item, Sequence[int]]) -> tuple[int, dict[Item, int]]:
    """Return how many rounds there are, and how many runs a block of each model has.

    warmups: ns of the warm-up runs of each model that is measured beside the others. The fastest
    counts, so that a block is not shorter than plan.block_s if the model still gets faster.

    Rounds are as many as the time allows with the shortest blocks, because a machine changes its
    pace from one tenth of a second to the next, and what changes slower than a round is the same
    for all models. They are those of the slowest model; blocks of the others last longer.
    """
    run_s = {model: max(min(samples), 1) / NS for model, samples in warmups.items()}
    if plan.rounds == 0 or not run_s:
        return 1, dict.fromkeys(run_s, plan.min_runs)
    for_time = {model: math.ceil(plan.min_s / run_s[model]) for model in run_s}
    shortest = {model: math.ceil(plan.block_s / run_s[model]) for model in run_s}
    rounds = min(
        for_time[model] // (2 * max(shortest[model], plan.block_runs, 1)) for model in run_s
    )
    rounds = max(rounds, plan.rounds)
    runs = {}
    for model in run_s:
        wanted = max(plan.min_runs, for_time[model])
        if plan.max_s:
            wanted = min(wanted, math.floor(plan.max_s / run_s[model]))
        runs[model] = max(shortest[model], math.ceil(wanted / (2 * rounds)), 1)
    return rounds, runs
