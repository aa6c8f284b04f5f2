"""How far a median or a p90 might be off, and the ratio of two runs' medians.

Samples of one process resemble each other, and so do those of one block, so the textbook's order
statistics (which take every sample for a new one) hold the truth in 60 to 90 of 100 cases instead
of 97. *Sectioning* does not need samples to be independent: the samples are cut into sections,
each gives its own quantile, and how far these scatter shows how far the quantile of all
samples may be off (Asmussen and Glynn, Stochastic Simulation, 2007, III.5a; for quantiles Nakayama,
ACM Transactions on Modeling and Computer Simulation 24, 2014). A section is a process, or a quarter
of it if there is only one. All of it on logarithms.

The upper ends hold the truth in 94 to 100 of 100 cases, with and without drift and variance between
processes: `tests/edgekit/results/test_quantiles.py` shows it by simulation.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgekit.results.statistics import (
    BLOCKS_A_ROUND,
    MeanError,
    ProcessBlocks,
    Ratio,
    mean_error,
    student_975,
)
from edgekit_runtimes.tensors import Array

# Of fewer samples a p90 means little: of 20, two lie beyond it.
MIN_SECTION = 20
QUARTERS = 4


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % interval; low and high are None if it cannot be told."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class _LogQuantile:
    """The logarithm of a quantile, and its error; None if it cannot be told."""

    center: float
    error: MeanError | None


def quantile_interval(processes: Sequence[ProcessBlocks], share: float) -> Interval:
    """Return the quantile `share` (.5: the median) with its 95 % interval.

    processes: the measured blocks of each, in the order of time. Raises ValueError if there are
    no samples.
    """
    quantile = _log_quantile(processes, share)
    value = math.exp(quantile.center)
    if quantile.error is None:
        return Interval(value, None, None)
    factor = math.exp(quantile.error.half_width)
    return Interval(value, value / factor, value * factor)


def compare_runs(new: Sequence[ProcessBlocks], old: Sequence[ProcessBlocks]) -> Ratio:
    """Return the ratio of the medians of two runs that were not measured side by side.

    Their errors are independent: variances add up, and the degrees of freedom are Welch's (The
    generalization of Student's problem, Biometrika 34, 1947), rounded down. What differs between
    the two runs as a whole (what else the machine did) is in no interval.
    """
    after, before = _log_quantile(new, 0.5), _log_quantile(old, 0.5)
    value = math.exp(after.center - before.center)
    if after.error is None or before.error is None:
        return Ratio(value, None, None)
    factor = math.exp(_welch_half_width(after.error, before.error))
    return Ratio(value, value / factor, value * factor)


def _welch_half_width(first: MeanError, second: MeanError) -> float:
    variances = [error.size**2 for error in (first, second)]
    total = sum(variances)
    if total == 0:
        return 0.0
    parts = zip(variances, (first.freedom, second.freedom), strict=True)
    freedom = total**2 / sum(variance**2 / freedom for variance, freedom in parts)
    # Not 1.9999…: one degree of freedom less would triple the interval.
    return student_975(math.floor(freedom + 1e-9)) * math.sqrt(total)


def _log_quantile(processes: Sequence[ProcessBlocks], share: float) -> _LogQuantile:
    blocks = [block for process in processes for block in process]
    if not any(len(block) for block in blocks):
        raise ValueError("no samples to take a quantile of")
    center = _log_quantile_of(blocks, share)
    sections = processes if len(processes) > 1 else _quarters(processes[0])
    values = np.array([_log_quantile_of(section, share) for section in sections])
    # A clock that is too coarse shows times of 0, whose logarithm does not exist.
    return _LogQuantile(center, mean_error(values) if np.isfinite(values).all() else None)


def _quarters(process: ProcessBlocks) -> list[ProcessBlocks]:
    """Return equal numbers of whole rounds, as nearly as can be; fewer where samples are few."""
    rounds = len(process) // BLOCKS_A_ROUND
    samples = sum(len(block) for block in process)
    count = max(1, min(QUARTERS, rounds, samples // MIN_SECTION))
    bounds = [rounds * number // count * BLOCKS_A_ROUND for number in range(count)]
    return [process[a:b] for a, b in itertools.pairwise([*bounds, len(process)])]


def _log_quantile_of(blocks: ProcessBlocks, share: float) -> float:
    # Weibull's plotting positions: NumPy's default puts the p90 of few samples too low.
    samples: Array = np.concatenate([np.asarray(block, np.float64) for block in blocks])
    value = float(np.quantile(samples, share, method="weibull"))
    return math.log(value) if value > 0 else -math.inf
