"""What a gate can be about: each metric with its quantity, its rows and its reader.

`max_degradation`, `percent_max_degradation`, `min_improvement` and `percent_min_improvement` are
the words of Olive's MetricGoal: against a baseline in the same results, the percentages of it.
`max_regression` is ours: how much worse than in older results, in percent of what it was there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from edgekit.gates import readings
from edgekit.gates.readings import Read
from edgekit.gates.units import (
    BYTES,
    COUNT,
    DECIBELS,
    NUMBER,
    PERCENTAGE,
    RATIO,
    SHARE,
    TIME,
    Quantity,
)
from edgekit.results.accuracy import Figure
from edgekit.results.plan import ORIGINAL, REFERENCE_RECIPE
from edgekit.results.results import Row

# Which way a limit must point where the metric's name says so.
Side = Literal["at most", "at least", "either"]


@dataclass(frozen=True)
class Metric:
    """What a gate can be about.

    concerns: whether rows of this kind have it at all, failed ones included: an emulated board has
    no latency, and fp32 no ratio to itself.
    read: None where older results are needed besides: `changes` reads those.
    origin: how results come by it, for the error that none has it.
    """

    name: str
    quantity: Quantity
    concerns: Callable[[Row], bool]
    read: Read | None
    side: Side = "either"
    origin: str = ""


def is_any(row: Row) -> bool:
    """Whatever was measured."""
    return True


def is_artifact(row: Row) -> bool:
    """Not the original."""
    return row.id != ORIGINAL


def is_timed(row: Row) -> bool:
    """Measured by a clock."""
    return row.unit == "ns"


def is_counted(row: Row) -> bool:
    """Measured in instructions."""
    return row.unit == "instructions"


def has_reference(row: Row) -> bool:
    """Compared with fp32."""
    return is_artifact(row) and row.recipe != REFERENCE_RECIPE


def is_timed_beside_reference(row: Row) -> bool:
    """Compared with fp32 by a clock."""
    return is_timed(row) and has_reference(row)


_FIDELITY = (
    Metric("fidelity.top1", SHARE, is_artifact, readings.fidelity("top1")),
    Metric("fidelity.cosine", NUMBER, is_artifact, readings.fidelity("cosine")),
    Metric("fidelity.sqnr", DECIBELS, is_artifact, readings.fidelity("sqnr_db")),
    Metric("fidelity.max_error", NUMBER, is_artifact, readings.fidelity("max_abs_error")),
)
_SIZES = (
    Metric("size", BYTES, is_artifact, readings.size),
    Metric("wire.gzip", BYTES, is_artifact, readings.wire("gzip")),
    Metric("wire.brotli", BYTES, is_artifact, readings.wire("brotli")),
)
_TIMES = (
    Metric("latency.median", TIME, is_timed, readings.median),
    Metric("latency.p90", TIME, is_timed, readings.p90),
    Metric("latency.min", TIME, is_timed, readings.least),
    Metric("load", TIME, is_timed, readings.load),
    Metric("first_run", TIME, is_timed, readings.first_run),
    Metric(
        "instructions",
        COUNT,
        is_counted,
        readings.least,
        origin="an emulated board counts them (bench --on board:pi5)",
    ),
    Metric("ratio", RATIO, has_reference, readings.ratio_to_fp32),
    Metric(
        "ratio_to_original",
        RATIO,
        is_artifact,
        readings.ratio_to_original,
        origin="the original was not measured",
    ),
)

LABELS = "accuracy needs labelled samples (bench --data)"
# (metric, what it is in `Accuracy`, its quantity)
FIGURES: tuple[tuple[str, Figure, Quantity], ...] = (
    ("accuracy", "top1", SHARE),
    ("accuracy.mae", "mae", NUMBER),
    ("accuracy.rmse", "rmse", NUMBER),
    ("accuracy.metric", "metric", NUMBER),
)
_ACCURACY = tuple(
    Metric(name, quantity, is_any, readings.accuracy(figure), origin=LABELS)
    for name, figure, quantity in FIGURES
)


def _degradations(name: str, figure: Figure, quantity: Quantity) -> tuple[Metric, Metric]:
    loss, share = readings.degradation(figure), readings.share_degraded(figure)
    return (
        Metric(f"{name}.max_degradation", quantity, is_artifact, loss, "at most", LABELS),
        Metric(
            f"{name}.percent_max_degradation", PERCENTAGE, is_artifact, share, "at most", LABELS
        ),
    )


def _slower_or_faster() -> tuple[Metric, ...]:
    rows, lost, share = is_timed_beside_reference, readings.time_lost, readings.share_lost
    saved, share_saved = readings.saved(lost), readings.saved(share)
    return (
        Metric("latency.max_degradation", TIME, rows, lost, "at most"),
        Metric("latency.percent_max_degradation", PERCENTAGE, rows, share, "at most"),
        Metric("latency.min_improvement", TIME, rows, saved, "at least"),
        Metric("latency.percent_min_improvement", PERCENTAGE, rows, share_saved, "at least"),
    )


def _smaller() -> tuple[Metric, ...]:
    rows, saved, share = has_reference, readings.size_saved, readings.size_share_saved
    return (
        Metric("size.min_improvement", BYTES, rows, saved, "at least"),
        Metric("size.percent_min_improvement", PERCENTAGE, rows, share, "at least"),
    )


# Of one results file.
METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        *_SIZES,
        *_smaller(),
        *_TIMES,
        *_slower_or_faster(),
        *_FIDELITY,
        *_ACCURACY,
        *(metric for figure in FIGURES for metric in _degradations(*figure)),
    )
}
# Words of the tables and of the JSON.
ALIASES = {
    "accuracy.top1": "accuracy",
    "fidelity.sqnr_db": "fidelity.sqnr",
    "fidelity.max_abs_error": "fidelity.max_error",
    "ratio_to_fp32": "ratio",
}

# Figures that two results files are compared by, and the metric that each is read by.
COMPARED: Mapping[str, Metric] = {
    figure: METRICS["latency.median" if figure == "latency" else figure]
    for figure in (
        *("size", "wire.gzip", "wire.brotli", "latency", "instructions", "ratio"),
        *("fidelity.top1", "fidelity.sqnr", *(name for name, _, _ in FIGURES)),
    )
}
_REGRESSION = ".max_regression"
# Of two.
REGRESSIONS: Mapping[str, Metric] = {
    figure + _REGRESSION: Metric(figure + _REGRESSION, PERCENTAGE, metric.concerns, None, "at most")
    for figure, metric in COMPARED.items()
}


def compared_figure(metric: Metric) -> str:
    """Return the figure that a metric of `REGRESSIONS` is about."""
    return metric.name.removesuffix(_REGRESSION)
