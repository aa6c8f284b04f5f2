"""What samples say: a summary of one model's times, and the ratio of two models' times.

The ratio is worked out on logarithms. A *round* is one ABBA sequence: two blocks of each model, in
palindromic order, so that a drift of the machine cancels within it. A round's log-ratio is the
mean of its two blocks' differences of log medians, and a process's is the mean of its rounds'.
Rounds of one process share its luck (where memory was put, what else ran), so the interval is
Student's over processes; over rounds if there is only one process. A bootstrap of few processes
covers too little (.8 with three), and so does pooling the rounds of processes that seem not to
differ (.9 where they differ by half of what rounds show): this form keeps 92 to 99 % with and
without variance between processes, which `tests/edgekit/results/test_statistics.py` shows by
simulation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from edgekit.forms import AtLeastOne, Count, NotNegative, OverZero
from edgekit_runtimes.tensors import Array

Verdict = Literal["faster", "slower", "fewer", "more", "not distinguishable"]
# What samples are: nanoseconds, or instructions on a device that counts them.
SampleUnit = Literal["ns", "instructions"]

# Differences under 1 % are noise (criterion's noise threshold).
NOISE = 0.01
# Iglewicz and Hoaglin, "How to Detect and Handle Outliers" (1993): a modified z-score over 3.5
# marks an outlier. .6745 and 1.253314 make the median and the mean absolute deviation of a normal
# distribution equal to its standard deviation.
OUTLIER_Z = 3.5
MEDIAN_DEVIATION_FACTOR = 1 / 0.6745
MEAN_DEVIATION_FACTOR = 1.253314
# Percent points of Student's t, two-sided 95 %, for 1 to 10 degrees of freedom; a series beyond.
T_975 = (12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281)
NORMAL_975 = 1.959964
BLOCKS_A_ROUND = 2

# The blocks of one model in one process, in the order of time: samples in ns.
ProcessBlocks = Sequence[Sequence[int] | Array]


@dataclass(frozen=True)
class Statistics:
    """Summary of one model's samples, in their unit (ns or instructions).

    mad: median absolute deviation from the median, not scaled.
    outliers: samples whose modified z-score is over 3.5; counted, never dropped.
    """

    runs: AtLeastOne
    median: NotNegative
    p90: NotNegative
    mad: NotNegative
    min: NotNegative
    outliers: Count


@dataclass(frozen=True)
class Ratio:
    """The time of one model over the time of another: under 1 is faster.

    low, high: the 95 % interval; None if there was only one process with one round.
    derived: a product of measured ratios, not measured side by side.
    counted: of instructions, not of times; low and high are the extremes.
    verdict: what may be claimed: a difference only if the whole interval is beyond the noise. It is
    always worked out again. Fewer instructions are not always faster: counts have their own words.
    """

    value: OverZero
    low: float | None
    high: float | None
    derived: bool = False
    counted: bool = False
    verdict: Verdict = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "verdict", self._verdict())

    def _verdict(self) -> Verdict:
        if self.high is not None and self.high < 1 - NOISE:
            return "fewer" if self.counted else "faster"
        if self.low is not None and self.low > 1 + NOISE:
            return "more" if self.counted else "slower"
        return "not distinguishable"


def summarize(samples: Sequence[int] | Array) -> Statistics:
    """Return the summary of `samples`. Raises ValueError if there are none."""
    values = np.asarray(samples, np.float64)
    if values.size == 0:
        raise ValueError("no samples to summarize")
    median = float(np.median(values))
    deviations = np.abs(values - median)
    mad = float(np.median(deviations))
    return Statistics(
        runs=int(values.size),
        median=median,
        p90=float(np.quantile(values, 0.9)),
        mad=mad,
        min=float(values.min()),
        outliers=_count_outliers(deviations, mad),
    )


def _count_outliers(deviations: Array, mad: float) -> int:
    scale = MEDIAN_DEVIATION_FACTOR * mad
    if scale == 0:
        # Over half of the samples are equal, as with a coarse clock.
        scale = MEAN_DEVIATION_FACTOR * float(deviations.mean())
    return int(np.count_nonzero(deviations > OUTLIER_Z * scale)) if scale else 0


def compare(candidate: Sequence[ProcessBlocks], reference: Sequence[ProcessBlocks]) -> Ratio:
    """Return the time of `candidate` over that of `reference`, measured side by side.

    Both: one entry per process, holding the blocks in the order of time; block k of one ran beside
    block k of the other. Raises ValueError if a block or process has no counterpart.
    """
    rounds = [_round_log_ratios(a, b) for a, b in zip(candidate, reference, strict=True)]
    if not rounds:
        raise ValueError("no processes to compare")
    # Processes count the same, however many rounds each needed to reach its number of runs.
    units = np.array([values.mean() for values in rounds]) if len(rounds) > 1 else rounds[0]
    center = float(units.mean())
    error = mean_error(units)
    if error is None:
        return Ratio(math.exp(center), None, None)
    half = error.half_width
    return Ratio(math.exp(center), math.exp(center - half), math.exp(center + half))


def compare_counts(candidate: Sequence[int], reference: Sequence[int]) -> Ratio:
    """Return the ratio of two models' instruction counts, between its extremes.

    The value is that of the fewest: what comes on top of them is the kernel's timer, some thousand
    instructions in every four million. The fewest repeat to 1e-4, so there is nothing to estimate.
    """
    value = min(candidate) / min(reference)
    low, high = min(candidate) / max(reference), max(candidate) / min(reference)
    return Ratio(value, low, high, counted=True)


def _round_log_ratios(candidate: ProcessBlocks, reference: ProcessBlocks) -> Array:
    if len(candidate) != len(reference) or len(candidate) == 0:
        raise ValueError(f"{len(candidate)} blocks cannot be compared with {len(reference)}")
    differences = _log_medians(candidate) - _log_medians(reference)
    starts = np.arange(0, differences.size, BLOCKS_A_ROUND)
    sizes = np.minimum(BLOCKS_A_ROUND, differences.size - starts)
    return np.asarray(np.add.reduceat(differences, starts) / sizes)


def _log_medians(blocks: ProcessBlocks) -> Array:
    if len({len(block) for block in blocks}) == 1:
        return np.log(np.median(np.asarray(blocks, np.float64), axis=1))
    return np.log([np.median(np.asarray(block, np.float64)) for block in blocks])


@dataclass(frozen=True)
class MeanError:
    """The standard error of a mean, with its degrees of freedom."""

    size: float
    freedom: int

    @property
    def half_width(self) -> float:
        """Half the width of the 95 % interval."""
        return student_975(self.freedom) * self.size


def mean_error(units: Array) -> MeanError | None:
    """Return the error of the mean of `units`, which are independent; None for a single one."""
    count = units.size
    return MeanError(float(units.std(ddof=1)) / math.sqrt(count), count - 1) if count > 1 else None


def student_975(freedom: int) -> float:
    """Return the .975 quantile of Student's t, to four digits.

    Beyond the table: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5.
    """
    if freedom <= len(T_975):
        return T_975[freedom - 1]
    z = NORMAL_975
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    fourth = (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160
    return z + first / freedom + second / freedom**2 + third / freedom**3 + fourth / freedom**4


def multiply(first: Ratio, second: Ratio) -> Ratio:
    """Return the product of two measured ratios, marked as derived.

    Its interval adds the two half widths of the logarithms in quadrature: the two were measured
    in different processes, so their errors are independent.
    """
    value = first.value * second.value
    halves = [_log_half_width(ratio) for ratio in (first, second)]
    if None in halves:
        return Ratio(value, None, None, derived=True)
    factor = math.exp(math.hypot(*(half for half in halves if half is not None)))
    return Ratio(value, value / factor, value * factor, derived=True)


def _log_half_width(ratio: Ratio) -> float | None:
    if ratio.low is None or ratio.high is None:
        return None
    return math.log(ratio.high / ratio.low) / 2
