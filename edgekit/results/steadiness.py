"""Whether a model's times were steady: a look at its measured blocks that flags and drops nothing.

Warm-up is fixed and never adaptive ("an arbitrary number of warmup values may also make the
benchmark less reliable", pyperf's documentation), so what it did not settle must show afterwards:

    trend           times grow or shrink from the first quarter of a process to its last
    first quarter   the first quarter of a process differs from the others

A quarter is a quarter of the consecutive blocks: single ones, of a few milliseconds, vary too much.
Each process has its own level (where memory was put), so both are looked for within processes
and pooled over them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from edgekit.results.statistics import MEDIAN_DEVIATION_FACTOR, ProcessBlocks, student_975
from edgekit_runtimes.tensors import Array

Flag = Literal["trend", "first quarter"]

# Smaller ones are not a reason to doubt a figure that is claimed to 1 %.
NOTABLE = 0.02
QUARTERS = 4
# A modified z-score; hyperfine's limit for a slow first run. The spread is that of three quarters
# per process and itself uncertain: at 3.5, which is for single samples, one steady model in eight
# would be flagged where quarters vary by 3 %, at 10 one in forty.
FIRST_QUARTER_Z = 10.0


@dataclass(frozen=True)
class Steadiness:
    """How much a model's times moved, as shares: .03 is 3 % slower.

    trend: of the last quarter against the first; None if there are too few blocks.
    first_quarter: against the others of its process; None if each process has only one block.
    flags: which of the two is notable and more than chance.
    """

    trend: float | None
    first_quarter: float | None
    flags: tuple[Flag, ...] = ()


def steadiness(processes: Sequence[ProcessBlocks]) -> Steadiness:
    """Return how steady a model was.

    processes: one entry per process, holding its measured blocks in the order of time.
    """
    medians = [_log_medians(blocks) for blocks in processes]
    trend, trend_is_real = _trend(medians)
    first, first_stands_apart = _first_quarter(medians)
    flags: list[Flag] = []
    if trend is not None and abs(trend) > NOTABLE and trend_is_real:
        flags.append("trend")
    if first is not None and abs(first) > NOTABLE and first_stands_apart:
        flags.append("first quarter")
    return Steadiness(trend, first, tuple(flags))


def _log_medians(blocks: ProcessBlocks) -> Array:
    """Return the logarithm of each quarter's median; of each block's where there are fewer."""
    count = min(len(blocks), QUARTERS)
    bounds = [len(blocks) * number // max(count, 1) for number in range(count + 1)]
    quarters = [np.concatenate(blocks[a:b]) for a, b in itertools.pairwise(bounds)]
    # A clock that is coarser than the model may give 0.
    return np.log([max(float(np.median(quarter)), 1.0) for quarter in quarters])


def _trend(processes: Sequence[Array]) -> tuple[float | None, bool]:
    """Return the change from first to last quarter, and whether its 95 % interval leaves out 0.

    One straight line over the quarters of all processes, each process with its own intercept.
    """
    several = [values for values in processes if values.size > 1]
    freedom = sum(values.size - 1 for values in several) - 1
    if freedom < 1:
        return None, False
    times = [np.linspace(-0.5, 0.5, values.size) for values in several]
    spread = sum(float(time @ time) for time in times)
    slope = sum(float(time @ values) for time, values in zip(times, several, strict=True)) / spread
    squares = sum(
        float(((values - values.mean() - slope * time) ** 2).sum())
        for time, values in zip(times, several, strict=True)
    )
    half = student_975(freedom) * math.sqrt(squares / freedom / spread)
    return math.expm1(slope), abs(slope) > half


def _first_quarter(processes: Sequence[Array]) -> tuple[float | None, bool]:
    """Return how far first quarters are from the others, and whether beyond their spread."""
    several = [values for values in processes if values.size > 1]
    if not several:
        return None, False
    levels = [float(np.median(values[1:])) for values in several]
    firsts = [float(values[0]) - level for values, level in zip(several, levels, strict=True)]
    others = [np.abs(values[1:] - level) for values, level in zip(several, levels, strict=True)]
    off = float(np.median(firsts))
    limit = FIRST_QUARTER_Z * MEDIAN_DEVIATION_FACTOR * float(np.median(np.concatenate(others)))
    return math.expm1(off), abs(off) > limit
