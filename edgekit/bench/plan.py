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
from dataclasses import dataclass

from edgekit.bench.subject import Subject
from edgekit_runtimes.job import Plan

ORIGINAL = "original"

# The fewest from which a variance between processes can be estimated with any use: with two,
# Student's t is 12.7 instead of 4.3. On a busy machine of two cores the interval of an artifact
# against its own copy is then about 1.2 % either way.
PROCESSES = 3
# LiteRT's benchmark_model warms up for at least one run and half a second.
WARMUP_RUNS = 1
WARMUP_S = 0.5
# pyperf's floor for one value: shorter, and the clock and the scheduler are measured too.
BLOCK_S = 0.1
# Two ABBA rounds are four blocks a process: 3 x 4 x .1 s = 1.2 s a side, and 3 x 17 = 51 runs.
# LiteRT's benchmark_model stops at 50 runs and 1 s.
ROUNDS = 2
MIN_RUNS = 17
# Where a run takes over 0.6 s (plain JavaScript, WebGPU without a GPU), fewer runs must do: 3 x 4 x
# 3 s a side is half a minute. LiteRT's benchmark_model gives up on its 50 runs after 150 s.
MAX_BLOCK_S = 3.0


# 5 x 2 x 64 blocks of 0.1 s are 64 s a side, and 5 x 205 = 1,025 runs. MLPerf's single stream: at
# least 1,024 queries and 60 s; MLPerf Tiny: five windows. Many short blocks, so that a drift is
# the same for both of a pair.
THOROUGH_PROCESSES = 5
THOROUGH_ROUNDS = 64
THOROUGH_MIN_RUNS = 205


@dataclass(frozen=True)
class BenchPlan:
    """How much is measured: so many fresh processes a group, each as `worker` says."""

    name: str
    processes: int
    worker: Plan


QUICK = BenchPlan(
    "quick", PROCESSES, Plan(WARMUP_RUNS, WARMUP_S, BLOCK_S, ROUNDS, MIN_RUNS, MAX_BLOCK_S)
)

THOROUGH = BenchPlan(
    "thorough",
    THOROUGH_PROCESSES,
    Plan(WARMUP_RUNS, WARMUP_S, BLOCK_S, THOROUGH_ROUNDS, THOROUGH_MIN_RUNS),
)
PLANS = {plan.name: plan for plan in (QUICK, THOROUGH)}

# A device that counts instructions gives the same count again, and a second of its clock takes up
# to half a minute: one process, one warm-up, five runs, and no floors of time.
COUNTED_RUNS = 5
COUNTING = BenchPlan("counting", 1, Plan(WARMUP_RUNS, 0.0, 0.0, rounds=0, min_runs=COUNTED_RUNS))
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
