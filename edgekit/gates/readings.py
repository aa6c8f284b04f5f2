"""Reading a row: what it says of a metric, and how far that might be off.

A reader gives a `Reading`, the reason why there is none (which breaks a gate), or None where the
row has nothing of the kind: no labels, no original, no class axis.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from edgekit.results.accuracy import AccuracyDifference, Figure
from edgekit.results.plan import ORIGINAL, REFERENCE_RECIPE
from edgekit.results.quantiles import quantile_interval
from edgekit.results.results import Results, Row
from edgekit.results.statistics import ProcessBlocks, Ratio


@dataclass(frozen=True)
class Reading:
    """A value in base units, and its 95 % interval; low and high are None where there is none."""

    value: float
    low: float | None
    high: float | None

    def mapped(self, function: Callable[[float], float]) -> Reading:
        """Return the reading of a rising or falling function of the value."""
        low, high = (None if end is None else function(end) for end in (self.low, self.high))
        is_falling = function(1.0) < function(0.0)
        return Reading(function(self.value), *((high, low) if is_falling else (low, high)))


Finding = Reading | str | None
Read = Callable[[Row, Results], Finding]


def exact(value: float) -> Reading:
    """Return the reading of what repeats."""
    return Reading(value, value, value)


def of_ratio(ratio: Ratio) -> Reading:
    """Return a ratio as a reading."""
    return Reading(ratio.value, ratio.low, ratio.high)


# --- Size ---------------------------------------------------------------------------------------


def size(row: Row, _: Results) -> Finding:
    """Read the artifact's bytes."""
    return None if row.bytes is None else exact(row.bytes)


def wire(compression: str) -> Read:
    """Return a reader of the bytes of a download."""

    def read(row: Row, _: Results) -> Finding:
        found = row.wire_bytes.get(compression)
        return None if found is None else exact(found)

    return read


def size_saved(row: Row, results: Results) -> Finding:
    """Read how many bytes are saved against fp32."""
    reference = _reference_bytes(row, results)
    if row.bytes is None or not reference:
        return f"there is no {row.format}/{REFERENCE_RECIPE} to compare with"
    return exact(reference - row.bytes)


def size_share_saved(row: Row, results: Results) -> Finding:
    """Read which share of fp32's bytes is saved."""
    saved, reference = size_saved(row, results), _reference_bytes(row, results)
    if not isinstance(saved, Reading) or not reference:
        return saved
    return exact(saved.value / reference)


def _reference_bytes(row: Row, results: Results) -> int | None:
    sizes = (
        other.bytes
        for other in results.rows
        if (other.device, other.format) == (row.device, row.format)
        and other.recipe == REFERENCE_RECIPE
    )
    return next(sizes, None)


# --- Time and instructions ----------------------------------------------------------------------


def measured_processes(row: Row) -> list[ProcessBlocks]:
    """Return the row's measured blocks, process by process, in the order of time."""
    processes: dict[int, list[Sequence[int]]] = {}
    for block in row.blocks:
        if block.phase == "measure" and block.samples:
            processes.setdefault(block.process, []).append(block.samples)
    return list(processes.values())


def median(row: Row, _: Results) -> Finding:
    """Read the median."""
    return _quantile(row, row.statistics.median, 0.5) if row.statistics else None


def p90(row: Row, _: Results) -> Finding:
    """Read the p90."""
    return _quantile(row, row.statistics.p90, 0.9) if row.statistics else None


def _quantile(row: Row, value: float, share: float) -> Reading:
    processes = measured_processes(row)
    if not processes:
        return Reading(value, None, None)
    interval = quantile_interval(processes, share)
    return Reading(value, interval.low, interval.high)


def least(row: Row, _: Results) -> Finding:
    """Read the least of the measured samples."""
    return exact(row.statistics.min) if row.statistics else None


def load(row: Row, _: Results) -> Finding:
    """Read the time of loading."""
    return _extremes(row.load_ns)


def first_run(row: Row, _: Results) -> Finding:
    """Read the time of the first inference."""
    return _extremes(row.first_run_ns)


def _extremes(values: Sequence[int]) -> Finding:
    """Return the median between the extremes: one value a process is too few for an interval."""
    return Reading(float(np.median(values)), min(values), max(values)) if values else None


def ratio_to_fp32(row: Row, _: Results) -> Finding:
    """Read the ratio to fp32."""
    ratio = row.ratio_to_fp32
    return of_ratio(ratio) if ratio else row.ratio_reason or "it has no ratio to fp32"


def ratio_to_original(row: Row, results: Results) -> Finding:
    """Read the ratio to the original, where that was measured."""
    if row.ratio_to_original:
        return of_ratio(row.ratio_to_original)
    is_measured = any(
        other.id == ORIGINAL and other.device == row.device and other.status == "ok"
        for other in results.rows
    )
    return (row.ratio_reason or "it has no ratio to the original") if is_measured else None


def share_lost(row: Row, results: Results) -> Finding:
    """Read which share of fp32's time comes on top of it."""
    ratio = ratio_to_fp32(row, results)
    return ratio.mapped(lambda value: value - 1) if isinstance(ratio, Reading) else ratio


def time_lost(row: Row, results: Results) -> Finding:
    """Read how much longer than fp32 it takes: the ratio measured in turns, in fp32's median."""
    share = share_lost(row, results)
    samples = [sample for block in row.reference_blocks for sample in block.samples]
    if isinstance(share, Reading) and not samples:
        return "the times of its fp32 artifact are not in these results"
    if not isinstance(share, Reading):
        return share
    unit = float(np.median(samples))
    return share.mapped(lambda value: value * unit)


def saved(read_lost: Read) -> Read:
    """Return a reader of what is saved, given one of what is lost."""

    def read(row: Row, results: Results) -> Finding:
        lost = read_lost(row, results)
        return lost.mapped(lambda value: -value) if isinstance(lost, Reading) else lost

    return read


# --- Fidelity and accuracy ----------------------------------------------------------------------

FidelityFigure = Literal["top1", "cosine", "sqnr_db", "max_abs_error"]


def _nan_reason(count: int) -> str:
    return f"{count:,} of its outputs {'is' if count == 1 else 'are'} NaN or infinite"


def fidelity(attribute: FidelityFigure) -> Read:
    """Return a reader of the worst output's figure."""

    def read(row: Row, _: Results) -> Finding:
        if row.fidelity is None:
            return None
        if row.fidelity.nan:
            return _nan_reason(row.fidelity.nan)
        value: float | None = getattr(row.fidelity, attribute)
        return None if value is None else exact(value)

    return read


def accuracy(figure: Figure) -> Read:
    """Return a reader of what labels say."""

    def read(row: Row, _: Results) -> Finding:
        found = row.accuracy
        if found is None:
            return None
        if found.nan:
            return _nan_reason(found.nan)
        value = found.figure(figure)
        if value is None:
            return None
        # RMSE comes beside MAE, whose interval is kept.
        return exact(value) if figure == "rmse" else Reading(value, found.low, found.high)

    return read


def degradation(figure: Figure) -> Read:
    """Return a reader of the loss against the original, or fp32 where that was not judged."""

    def read(row: Row, results: Results) -> Finding:
        found, difference = _compared(row, results, figure)
        if difference is None or difference.worse_by is None:
            return found
        return Reading(difference.worse_by, *(difference.loss_interval or (None, None)))

    return read


def share_degraded(figure: Figure) -> Read:
    """Return a reader of the same loss as a share of what the other model has."""

    def read(row: Row, results: Results) -> Finding:
        loss, (found, difference) = (
            degradation(figure)(row, results),
            _compared(row, results, figure),
        )
        if not isinstance(loss, Reading) or not isinstance(found, Reading):
            return loss
        if difference is None or difference.value is None:
            return loss
        baseline = abs(found.value - difference.value)
        if baseline == 0:
            return f"{difference.compared_with} is at 0, and there is no percentage of that"
        return loss.mapped(lambda value: value / baseline)

    return read


def _compared(
    row: Row, results: Results, figure: Figure
) -> tuple[Finding, AccuracyDifference | None]:
    """Return the figure, or what stands for a loss that cannot be told; and the difference."""
    found = accuracy(figure)(row, results)
    if not isinstance(found, Reading) or row.accuracy is None:
        return found, None
    difference = row.accuracy.differences.get(figure)
    if difference is not None:
        return found, difference
    if row.recipe == REFERENCE_RECIPE:
        return None, None
    return f"neither the original nor {row.format}/{REFERENCE_RECIPE} was judged beside it", None
