"""What colour means: how much of the original an artifact still gets right, in five grades."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from edgekit.results.accuracy import Accuracy
from edgekit.results.figures.accuracy import is_of_classes, metric_title
from edgekit.results.figures.figure import ACCURACY, Figure
from edgekit.results.figures.registry import figure_called
from edgekit.results.results import Row
from edgekit.text.quantities import DECIBELS, SHARE
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
    figure: Figure
    limits: tuple[float, ...]
    less_is_better: bool = False

    def value(self, row: Row) -> float | None:
        """Return the figure, or the worst there is where outputs were NaN; None without one."""
        value = self.figure.number(row)
        if value is None and self.figure.group is ACCURACY and row.accuracy:
            return math.inf if self.less_is_better else -math.inf
        return value

    def grade(self, row: Row) -> int | None:
        """Return 0 for the best grade to 4 for the worst; None if nothing was judged."""
        value = self.value(row)
        if value is None:
            return None
        fits = (value <= limit if self.less_is_better else value >= limit for limit in self.limits)
        return next((number for number, fine in enumerate(fits) if fine), GRADES - 1)

    def labels(self) -> list[str]:
        """Return what each grade means, the best first."""
        inside, outside = ("≤", ">") if self.less_is_better else ("≥", "<")
        return [
            *(f"{inside} {self.text(limit)}" for limit in self.limits),
            f"{outside} {self.text(self.limits[-1])}",
        ]

    def text(self, value: float) -> str:
        """Return a value as the legend has it."""
        if self.figure.quantity is SHARE:
            return f"{percent(value)} %"
        if self.figure.quantity is DECIBELS:
            return "exact" if value == math.inf else f"{significant(value)} dB"
        return significant(value) if math.isfinite(value) else "NaN"


def quality_of(rows: Sequence[Row], report_rows: Iterable[Row]) -> Quality | None:
    """Return the figure to grade `rows` by: accuracy if there is one, else fidelity.

    report_rows: all rows of the report; accuracy is graded against the best of them, which as a
    rule is the original's.
    """
    judged = next((row.accuracy for row in rows if row.accuracy), None)
    if judged:
        return _accuracy_quality(judged, list(report_rows))
    if any(row.fidelity and row.fidelity.top1 is not None for row in rows):
        limits = tuple(1 - lost for lost in LOST_SHARES)
        return Quality("top-1 agreement", figure_called("fidelity.top1"), limits)
    if any(row.fidelity for row in rows):
        return Quality("SQNR", figure_called("fidelity.sqnr"), SQNR_LIMITS_DB)
    return None


def _accuracy_quality(judged: Accuracy, rows: Sequence[Row]) -> Quality:
    """Return the quality that `judged` has a figure of, graded against the best of `rows`."""
    if is_of_classes(judged):
        figure = figure_called("accuracy")
        best = _best(figure, rows, max)
        return Quality("accuracy", figure, tuple(best - lost for lost in LOST_SHARES))
    if judged.metric is None:
        figure = figure_called("accuracy.rmse")
        return Quality("RMSE", figure, _limits(_best(figure, rows, min), 1), less_is_better=True)
    title, figure = metric_title(judged.metric), figure_called("accuracy.metric")
    if judged.difference and not judged.difference.higher_is_better:
        return Quality(title, figure, _limits(_best(figure, rows, min), 1), less_is_better=True)
    return Quality(title, figure, _limits(_best(figure, rows, max), -1))


def _best(figure: Figure, rows: Sequence[Row], pick: Callable[[Sequence[float]], float]) -> float:
    return pick([value for row in rows if (value := figure.number(row)) is not None] or [0.0])


def _limits(best: float, sign: int) -> tuple[float, ...]:
    return tuple(best + sign * lost * abs(best) for lost in LOST_SHARES)
