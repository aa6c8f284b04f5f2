"""Figures of time, and of instructions on devices that count those."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from edgekit.results.figures.figure import (
    BASIS,
    DOWNLOAD,
    RUN,
    START,
    Baseline,
    Compared,
    Figure,
    Gated,
    Kind,
    Shown,
    facts,
    is_any,
    is_counted,
    is_timed,
    is_timed_beside_reference,
)
from edgekit.results.figures.measured import Found, Measured, Read
from edgekit.results.figures.ratios import share_lost
from edgekit.text.quantities import COUNT, TALLY, TIME, WORDS

if TYPE_CHECKING:
    from edgekit.results.results import Results, Row
    from edgekit.results.statistics import ProcessBlocks, Ratio

# Counts on an emulated board repeat within this (see bench/counting.py).
COUNT_TOLERANCE = 1e-3

Statistic = Literal["runs", "median", "p90", "mad", "min", "outliers"]
Times = Literal["load_ns", "first_run_ns", "download_ns", "start_ns"]


def measured_processes(row: Row) -> list[ProcessBlocks]:
    """Return the row's measured blocks, process by process, in the order of time."""
    processes: dict[int, list[Sequence[int]]] = {}
    for block in row.blocks:
        if block.phase == "measure" and block.samples:
            processes.setdefault(block.process, []).append(block.samples)
    return list(processes.values())


def _statistic(
    name: Statistic, concerns: Callable[[Row], bool] = is_any
) -> Callable[[Row], float | None]:
    def value(row: Row) -> float | None:
        has_it = row.statistics is not None and concerns(row)
        found: float | None = getattr(row.statistics, name) if has_it else None
        return found

    return value


def _quantile(name: Statistic, share: float) -> Read:
    """Return a reader of a quantile with its interval."""

    def read(row: Row, _: Results) -> Found:
        from edgekit.results.quantiles import quantile_interval

        value, processes = _statistic(name)(row), measured_processes(row)
        if value is None or not processes:
            return None if value is None else Measured(value, None, None)
        interval = quantile_interval(processes, share)
        return Measured(value, interval.low, interval.high)

    return read


def _middle(values: Sequence[int]) -> float:
    # Imported late: it takes as long as all other imports of a command's help.
    from statistics import median

    return float(median(values))


def _median(name: Times, concerns: Callable[[Row], bool] = is_any) -> Callable[[Row], float | None]:
    def value(row: Row) -> float | None:
        values: Sequence[int] = getattr(row, name)
        return _middle(values) if values and concerns(row) else None

    return value


def _extremes(name: Times) -> Read:
    """Return a reader of the median between extremes: one per process gives no interval."""

    def read(row: Row, _: Results) -> Found:
        values: Sequence[int] = getattr(row, name)
        if not values:
            return None
        return Measured(_middle(values), min(values), max(values))

    return read


def _time_lost(row: Row, results: Results) -> Found:
    """Read how much longer than fp32 it takes: the ratio measured in turns, in fp32's median."""
    share = share_lost(row, results)
    samples = [sample for block in row.reference_blocks for sample in block.samples]
    if isinstance(share, Measured) and not samples:
        return "the times of its fp32 artifact are not in these results"
    if not isinstance(share, Measured):
        return share
    unit = _middle(samples)
    return share.mapped(lambda value: value * unit)


def _latency_ratio(old: Row, new: Row) -> Ratio | None:
    """Return the new time over the old one, which was measured at another time."""
    from edgekit.results.quantiles import compare_runs

    before, after = measured_processes(old), measured_processes(new)
    has_times = all(row.statistics and row.statistics.median > 0 for row in (old, new))
    return compare_runs(after, before) if before and after and has_times else None


RUNS = Kind(BASIS, TALLY)
TIME_OF_A_RUN = Kind(RUN, TIME, "less")
TIME_TO_START = Kind(START, TIME, "less")
COUNT_OF_A_RUN = Kind(RUN, COUNT, "less")
COUNT_TO_START = Kind(START, COUNT, "less")
AGAINST_FP32 = Baseline(
    "Lost or won against fp32 of the same format",
    is_timed_beside_reference,
    _time_lost,
    share_lost,
    ("max_degradation", "min_improvement"),
)

FIGURES = (
    Figure(
        "runs",
        "How many inferences were measured, warm-up apart.",
        RUNS,
        _statistic("runs"),
        "runs",
        Shown("runs", is_detail=True),
    ),
    Figure(
        "outliers",
        "How many of them are far from the median (a modified z-score over 3.5). They are counted "
        "and stay in.",
        RUNS,
        _statistic("outliers"),
        "outliers",
        Shown("outliers", is_detail=True),
    ),
    Figure(
        "latency.median",
        "The median time of an inference. Rows were measured at different times: compare them by "
        "their ratio.",
        TIME_OF_A_RUN,
        _statistic("median", is_timed),
        "latency_median_ns",
        Shown("median", scale="run"),
        Gated(is_timed, _quantile("median", 0.5), baseline=AGAINST_FP32),
        Compared("latency", _latency_ratio, is_general=True),
    ),
    Figure(
        "latency.p90",
        "The time that nine of ten inferences keep within.",
        TIME_OF_A_RUN,
        _statistic("p90", is_timed),
        "latency_p90_ns",
        Shown("p90", scale="run"),
        Gated(is_timed, _quantile("p90", 0.9)),
    ),
    *facts(
        TIME_OF_A_RUN,
        latency_mad_ns=(
            _statistic("mad", is_timed),
            "The median absolute deviation from the median time, not scaled.",
        ),
    ),
    Figure(
        "latency.min",
        "The shortest time of an inference.",
        TIME_OF_A_RUN,
        _statistic("min", is_timed),
        "latency_min_ns",
        gated=Gated(is_timed),
    ),
    Figure(
        "load",
        "The time from the file to a model that is ready to run: the median over the processes in "
        "which it was alone. A gate is judged at the extremes.",
        TIME_TO_START,
        _median("load_ns", is_timed),
        "load_median_ns",
        Shown("load"),
        Gated(is_timed, _extremes("load_ns")),
    ),
    Figure(
        "first_run",
        "The time of the first inference after loading, likewise.",
        TIME_TO_START,
        _median("first_run_ns", is_timed),
        "first_run_median_ns",
        Shown("first\nrun"),
        Gated(is_timed, _extremes("first_run_ns")),
    ),
    *facts(
        COUNT_OF_A_RUN,
        median_instructions=(_statistic("median", is_counted), "The median of the counts."),
        p90_instructions=(_statistic("p90", is_counted), "What nine of ten counts keep within."),
        mad_instructions=(_statistic("mad", is_counted), "Their median absolute deviation."),
    ),
    Figure(
        "instructions",
        "Instructions per inference on a device that counts them: the fewest of five runs. It is "
        "not time, since caches, memory and clock rate do not count.",
        COUNT_OF_A_RUN,
        _statistic("min", is_counted),
        "min_instructions",
        Shown("fewest"),
        Gated(is_counted, origin="an emulated board counts them (bench --on board:pi5)"),
        Compared("instructions", tolerance=COUNT_TOLERANCE, is_general=True),
    ),
    Figure(
        "load.instructions",
        "The instructions of loading, on a device that counts them.",
        COUNT_TO_START,
        _median("load_ns", is_counted),
        "load_median_instructions",
        Shown("load"),
    ),
    Figure(
        "first_run.instructions",
        "The instructions of the first inference, on a device that counts them.",
        COUNT_TO_START,
        _median("first_run_ns", is_counted),
        "first_run_median_instructions",
        Shown("first\nrun"),
    ),
    Figure(
        "download",
        "In a page, the time that the artifact took to arrive. It is not in the time of loading.",
        Kind(DOWNLOAD, TIME, "less"),
        _median("download_ns"),
        "download_median_ns",
        Shown("download"),
    ),
    *facts(
        TIME_TO_START,
        start_median_ns=(
            _median("start_ns"),
            "In a page, the time that the engine took to arrive and to ready its back end. It is "
            "not in the time of loading either.",
        ),
    ),
    *facts(
        Kind(BASIS, WORDS),
        unsteady=(
            lambda row: " and ".join(row.steadiness.flags) if row.steadiness else None,
            "What was not steady while the row was measured: `trend`, `first quarter`, or both.",
        ),
    ),
)
