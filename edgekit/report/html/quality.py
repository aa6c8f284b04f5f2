"""What colour means: how much of the original an artifact still gets right, in five grades."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from edgekit.results.accuracy import Accuracy, Figure
from edgekit.results.results import Row
from edgekit.text.units import percent, significant

# MLPerf inference asks for 99 % of the float model's quality (98 % for MobileNet). The grades are
# fixed, so that a colour means the same in every report and noise is not painted as a difference.
LOST_SHARES = (0.01, 0.02, 0.05, 0.10)
# Each 10 dB are a tenth of the error's power.
SQNR_LIMITS_DB = (40.0, 30.0, 20.0, 10.0)
GRADES = len(LOST_SHARES) + 1


@dataclass(frozen=True)
class Quality:
    """A figure that is graded.

    limits: the worst value of each grade but the last, the best grade first.
    """

    title: str
    value: Callable[[Row], float | None]
    limits: tuple[float, ...]
    text: Callable[[float], str]
    less_is_better: bool = False

    def grade(self, row: Row) -> int | None:
        """Return 0 for the best grade to 4 for the worst; None where nothing was judged."""
        value = self.value(row)
        if value is None:
            return None
        fits = (value <= limit if self.less_is_better else value >= limit for limit in self.limits)
        return next((number for number, fine in enumerate(fits) if fine), GRADES - 1)

    def labels(self) -> list[str]:
        """Return what each grade stands for, the best first."""
        inside, outside = ("≤", ">") if self.less_is_better else ("≥", "<")
        return [
            *(f"{inside} {self.text(limit)}" for limit in self.limits),
            f"{outside} {self.text(self.limits[-1])}",
        ]


def quality_of(rows: Sequence[Row], report_rows: Iterable[Row]) -> Quality | None:
    """Return the figure to grade `rows` by: accuracy where there is one, else fidelity.

    report_rows: all rows of the report; accuracy is graded against the best of them, which as a
    rule is the original's.
    """
    judged = next((row.accuracy for row in rows if row.accuracy), None)
    if judged:
        return _accuracy_quality(judged, [row.accuracy for row in report_rows if row.accuracy])
    if any(_top1(row) is not None for row in rows):
        limits = tuple(1 - lost for lost in LOST_SHARES)
        return Quality("top-1 agreement", _top1, limits, _percent)
    if any(row.fidelity for row in rows):
        return Quality("SQNR", _sqnr, SQNR_LIMITS_DB, _decibels)
    return None


# Values are read by functions, not by closures: equal qualities share a line of the legend.


def _accuracy_quality(judged: Accuracy, accuracies: Sequence[Accuracy]) -> Quality:
    """Return the quality that `judged` has a figure of, graded against the best of `accuracies`."""
    if judged.correct is not None:
        best = _best("top1", accuracies, max)
        return Quality("accuracy", _correct, tuple(best - lost for lost in LOST_SHARES), _percent)
    if judged.metric is None:
        best = _best("rmse", accuracies, min)
        return Quality("RMSE", _rmse, _limits(best, 1), _number, less_is_better=True)
    title = judged.metric.rpartition(":")[2]
    if judged.difference and not judged.difference.higher_is_better:
        best = _best("metric", accuracies, min)
        return Quality(title, _loss_metric, _limits(best, 1), _number, less_is_better=True)
    best = _best("metric", accuracies, max)
    return Quality(title, _metric, _limits(best, -1), _number)


def _best(
    figure: Figure, accuracies: Sequence[Accuracy], pick: Callable[[Sequence[float]], float]
) -> float:
    return pick([value for one in accuracies if (value := one.figure(figure)) is not None] or [0.0])


def _limits(best: float, sign: int) -> tuple[float, ...]:
    return tuple(best + sign * lost * abs(best) for lost in LOST_SHARES)


def _correct(row: Row) -> float | None:
    return row.accuracy.top1 if row.accuracy else None


def _rmse(row: Row) -> float | None:
    return _figure(row, "rmse", math.inf)


def _metric(row: Row) -> float | None:
    return _figure(row, "metric", -math.inf)


def _loss_metric(row: Row) -> float | None:
    return _figure(row, "metric", math.inf)


def _figure(row: Row, figure: Figure, worst: float) -> float | None:
    """Return a figure, or `worst` where outputs were NaN, so that it has the worst grade."""
    if row.accuracy is None:
        return None
    value = row.accuracy.figure(figure)
    return worst if value is None else value


def _top1(row: Row) -> float | None:
    return row.fidelity.top1 if row.fidelity else None


def _sqnr(row: Row) -> float | None:
    return row.fidelity.sqnr_db if row.fidelity else None


def _percent(share: float) -> str:
    return f"{percent(share)} %"


def _number(value: float) -> str:
    return significant(value) if math.isfinite(value) else "NaN"


def _decibels(value: float) -> str:
    return "exact" if value == math.inf else f"{significant(value)} dB"
