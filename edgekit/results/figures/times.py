"""Figures of time, and of instructions on devices that count those."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from edgekit.results.figures.figure import (
    BASIS,
    DOWNLOAD,
    RUN,
    START,
    Baseline,
    Figure,
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


def _timed(name: Statistic) -> Callable[[Row], float | None]:
    return lambda row: _statistic(row, name) if is_timed(row) else None


def _counted(name: Statistic) -> Callable[[Row], float | None]:
    return lambda row: _statistic(row, name) if is_counted(row) else None


def _statistic(row: Row, name: Statistic) -> float | None:
    value: float | None = getattr(row.statistics, name) if row.statistics else None
    return value


def _quantile(name: Statistic, share: float) -> Read:
    """Return a reader of a quantile with its interval."""

    def read(row: Row, _: Results) -> Found:
        from edgekit.results.quantiles import quantile_interval

        value, processes = _statistic(row, name), measured_processes(row)
        if value is None or not processes:
            return None if value is None else Measured(value, None, None)
        interval = quantile_interval(processes, share)
        return Measured(value, interval.low, interval.high)

    return read


def _median(name: Times, concerns: Callable[[Row], bool]) -> Callable[[Row], float | None]:
    def value(row: Row) -> float | None:
        values: Sequence[int] = getattr(row, name)
        return float(statistics.median(values)) if values and concerns(row) else None

    return value


def _extremes(name: Times) -> Read:
    """Return a reader of the median between extremes: one per process is no interval."""

    def read(row: Row, _: Results) -> Found:
        values: Sequence[int] = getattr(row, name)
        if not values:
            return None
        return Measured(float(statistics.median(values)), min(values), max(values))

    return read


def _time_lost(row: Row, results: Results) -> Found:
    """Read how much longer than fp32 it takes: the ratio measured in turns, in fp32's median."""
    share = share_lost(row, results)
    samples = [sample for block in row.reference_blocks for sample in block.samples]
    if isinstance(share, Measured) and not samples:
        return "the times of its fp32 artifact are not in these results"
    if not isinstance(share, Measured):
        return share
    unit = float(statistics.median(samples))
    return share.mapped(lambda value: value * unit)


def _latency_ratio(old: Row, new: Row) -> Ratio | None:
    """Return the new time over the old one, which was measured at another time."""
    from edgekit.results.quantiles import compare_runs

    before, after = measured_processes(old), measured_processes(new)
    has_times = all(row.statistics and row.statistics.median > 0 for row in (old, new))
    return compare_runs(after, before) if before and after and has_times else None


def _unsteady(row: Row) -> str | None:
    return " and ".join(row.steadiness.flags) if row.steadiness else None


FIGURES = (
    Figure(
        "runs",
        "How many inferences were measured, warm-up apart.",
        BASIS,
        TALLY,
        lambda row: _statistic(row, "runs"),
        title="runs",
        is_detail=True,
        csv="runs",
    ),
    Figure(
        "outliers",
        "How many of them are far from the median (a modified z-score over 3.5). They are counted "
        "and stay in.",
        BASIS,
        TALLY,
        lambda row: _statistic(row, "outliers"),
        title="outliers",
        is_detail=True,
        csv="outliers",
    ),
    Figure(
        "latency.median",
        "The median time of an inference. Rows were measured at different times: compare them by "
        "their ratio.",
        RUN,
        TIME,
        _timed("median"),
        "less",
        title="median",
        scale="run",
        csv="latency_median_ns",
        is_gated=True,
        concerns=is_timed,
        read=_quantile("median", 0.5),
        baseline=Baseline(
            "Lost or won against fp32 of the same format",
            is_timed_beside_reference,
            _time_lost,
            share_lost,
            ("max_degradation", "min_improvement"),
        ),
        compared_as="latency",
        ratio_between=_latency_ratio,
        is_general=True,
    ),
    Figure(
        "latency.p90",
        "The time that nine of ten inferences keep within.",
        RUN,
        TIME,
        _timed("p90"),
        "less",
        title="p90",
        scale="run",
        csv="latency_p90_ns",
        is_gated=True,
        concerns=is_timed,
        read=_quantile("p90", 0.9),
    ),
    Figure(
        "latency.mad",
        "The median absolute deviation from the median time, not scaled.",
        RUN,
        TIME,
        _timed("mad"),
        "less",
        csv="latency_mad_ns",
    ),
    Figure(
        "latency.min",
        "The shortest time of an inference.",
        RUN,
        TIME,
        _timed("min"),
        "less",
        csv="latency_min_ns",
        is_gated=True,
        concerns=is_timed,
    ),
    Figure(
        "load",
        "The time from the file to a model that is ready to run: the median over the processes in "
        "which it was alone. A gate is judged at the extremes.",
        START,
        TIME,
        _median("load_ns", is_timed),
        "less",
        title="load",
        csv="load_median_ns",
        is_gated=True,
        concerns=is_timed,
        read=_extremes("load_ns"),
    ),
    Figure(
        "first_run",
        "The time of the first inference after loading, likewise.",
        START,
        TIME,
        _median("first_run_ns", is_timed),
        "less",
        title="first\nrun",
        csv="first_run_median_ns",
        is_gated=True,
        concerns=is_timed,
        read=_extremes("first_run_ns"),
    ),
    Figure(
        "instructions.median",
        "The median number of instructions per inference.",
        RUN,
        COUNT,
        _counted("median"),
        "less",
        csv="median_instructions",
    ),
    Figure(
        "instructions.p90",
        "The number of instructions that nine of ten inferences keep within.",
        RUN,
        COUNT,
        _counted("p90"),
        "less",
        csv="p90_instructions",
    ),
    Figure(
        "instructions.mad",
        "The median absolute deviation of the number of instructions, not scaled.",
        RUN,
        COUNT,
        _counted("mad"),
        "less",
        csv="mad_instructions",
    ),
    Figure(
        "instructions",
        "Instructions per inference on a device that counts them: the fewest of five runs. It is "
        "not time, since caches, memory and clock rate have no part in it.",
        RUN,
        COUNT,
        _counted("min"),
        "less",
        title="fewest",
        csv="min_instructions",
        is_gated=True,
        concerns=is_counted,
        origin="an emulated board counts them (bench --on board:pi5)",
        compared_as="instructions",
        tolerance=COUNT_TOLERANCE,
        is_general=True,
    ),
    Figure(
        "load.instructions",
        "The instructions of loading, on a device that counts them.",
        START,
        COUNT,
        _median("load_ns", is_counted),
        "less",
        title="load",
        csv="load_median_instructions",
    ),
    Figure(
        "first_run.instructions",
        "The instructions of the first inference, on a device that counts them.",
        START,
        COUNT,
        _median("first_run_ns", is_counted),
        "less",
        title="first\nrun",
        csv="first_run_median_instructions",
    ),
    Figure(
        "download",
        "In a page, the time that the artifact took to arrive. It is not in the time of loading.",
        DOWNLOAD,
        TIME,
        _median("download_ns", lambda row: True),
        "less",
        title="download",
        csv="download_median_ns",
    ),
    Figure(
        "start",
        "In a page, the time that the engine took to arrive and to ready its back end. It is not "
        "in the time of loading either.",
        START,
        TIME,
        _median("start_ns", lambda row: True),
        "less",
        csv="start_median_ns",
    ),
    Figure(
        "unsteady",
        "What was not steady while the row was measured: `trend`, `first quarter`, or both.",
        BASIS,
        WORDS,
        _unsteady,
        csv="unsteady",
    ),
)
