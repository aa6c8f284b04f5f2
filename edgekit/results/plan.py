"""Which worker processes measure what.

1. A *check* of each artifact alone: it loads, runs once and reports its outputs on the golden
   samples. What fails here takes no further part.
2. Timing, in groups that are measured interleaved in one process: first the original (if any)
   beside the fp32 artifact of each format, then each other artifact beside the fp32 artifact of
   its format.

Every group runs in several fresh processes. Groups take turns, so that a slow minute of the
machine meets all of them and not one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from edgekit.measure.subject import Subject
from edgekit_runtimes.job import Plan

ORIGINAL = "original"

# Each costs a start, a load and a warm-up. With three, a process that is off by chance (Student's t
# is 4.3 then) hides a difference of 5 % in 7 to 18 of 100 comparisons; with four (3.2) in 0 to 2.
PROCESSES = 4
# LiteRT's benchmark_model warms up for at least one run and half a second.
WARMUP_RUNS = 1
WARMUP_S = 0.5
# A machine that others use too changes its pace from one tenth of a second to the next, and what
# changes more slowly than a round is the same for both of a pair. At 1 ms a run and equal time, the
# spread of a process's ratio was 5.4 to 9.7 % with blocks of .1 s (pyperf's floor for one value),
# and .8 to 1.1 % with blocks of 5 ms (`benchmarks/block_length.py`). The clock ticks in ns.
BLOCK_S = 0.005
# The median of three is not that of a first run whose weights the other model has thrown out of
# the caches.
BLOCK_RUNS = 3
# However slow a model is: from one round there is no interval.
ROUNDS = 2
# 4 x .3 s = 1.2 s a side, and 4 x 13 = 52 runs. LiteRT's benchmark_model stops at 50 runs and 1 s.
MIN_S = 0.3
MIN_RUNS = 13
# Where a run takes over a second (plain JavaScript, WebGPU without a GPU), fewer runs must do: 4 x
# 12 s a side. LiteRT's benchmark_model gives up on its 50 runs after 150 s.
MAX_S = 12.0

# 5 x 12.2 s = 61 s a side, and 5 x 205 = 1,025 runs. MLPerf's single stream: at least 1,024 queries
# and 60 s; MLPerf Tiny: five windows.
THOROUGH_PROCESSES = 5
THOROUGH_MIN_S = 12.2
THOROUGH_MIN_RUNS = 205
# Enough rounds, and results of a few megabytes.
THOROUGH_BLOCK_S = 0.02


@dataclass(frozen=True)
class BenchPlan:
    """How much is measured: so many fresh processes a group, each as `worker` says."""

    name: str
    processes: int
    worker: Plan


QUICK = BenchPlan(
    "quick",
    PROCESSES,
    Plan(WARMUP_RUNS, WARMUP_S, BLOCK_S, BLOCK_RUNS, ROUNDS, MIN_RUNS, MIN_S, MAX_S),
)
THOROUGH = BenchPlan(
    "thorough",
    THOROUGH_PROCESSES,
    replace(
        QUICK.worker,
        block_s=THOROUGH_BLOCK_S,
        min_runs=THOROUGH_MIN_RUNS,
        min_s=THOROUGH_MIN_S,
        max_s=0.0,
    ),
)

# A device that counts instructions gives the same count again, and a second of its clock takes up
# to half a minute: one process, one warm-up, five runs, and no floors of time.
COUNTED_RUNS = 5
COUNTING = BenchPlan("counting", 1, Plan(WARMUP_RUNS, 0.0, rounds=0, min_runs=COUNTED_RUNS))
# How many golden samples fidelity is judged on there.
COUNTING_SAMPLES = 8


@dataclass(frozen=True)
class Group:
    """Models measured interleaved in one process.

    members: ids in the order in which they are loaded and begin.
    timed: the members whose times are kept from this group; the others are there to compare with.
    """

    members: tuple[str, ...]
    timed: tuple[str, ...]


def reference_of(subject: Subject, subjects: Sequence[Subject]) -> Subject | None:
    """Return the fp32 artifact that `subject` is compared with, or None."""
    if subject.is_reference:
        return None
    same_format = (other for other in subjects if other.format == subject.format)
    return next((other for other in same_format if other.is_reference), None)


def groups(subjects: Sequence[Subject], with_original: bool) -> list[Group]:
    """Return the groups in which `subjects` (those that passed their check) are measured."""
    references = tuple(subject.id for subject in subjects if subject.is_reference)
    first = ((ORIGINAL,) if with_original else ()) + references
    result = [Group(first, first)] if first else []
    for subject in subjects:
        if not subject.is_reference:
            reference = reference_of(subject, subjects)
            members = (reference.id, subject.id) if reference else (subject.id,)
            result.append(Group(members, (subject.id,)))
    return result


def schedule(groups: Sequence[Group], processes: int) -> Iterator[tuple[int, Group]]:
    """Yield (process number, group) in the order in which they run.

    In every other process the members stand in reverse, so that being first (loaded into fresh
    memory, measured first after warm-up) favours none of them.
    """
    for process in range(processes):
        for group in groups:
            members = group.members if process % 2 == 0 else group.members[::-1]
            yield process, Group(members, group.timed)
