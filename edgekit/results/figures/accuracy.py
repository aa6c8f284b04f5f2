"""Figures of accuracy: what labels say, and how that differs from the original's."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from edgekit.results.figures.agreement import nan_reason
from edgekit.results.figures.figure import (
    ACCURACY,
    BASIS,
    Baseline,
    Better,
    Figure,
    Group,
    Value,
    is_artifact,
)
from edgekit.results.figures.measured import Found, Measured, Read, exact
from edgekit.results.plan import REFERENCE_RECIPE
from edgekit.text.quantities import NUMBER, SHARE, TALLY, WORDS, Quantity
from edgekit.text.units import percent, significant, with_interval

if TYPE_CHECKING:
    from edgekit.results.accuracy import Accuracy, AccuracyDifference
    from edgekit.results.accuracy import Figure as Score
    from edgekit.results.results import Results, Row

# What a metric's name ends with where less is better.
LOWER_IS_BETTER = ("_error", "_loss", "_distance")

LABELS = "accuracy needs labelled samples (bench --data)"
LOST = "Lost against the original, or against fp32 where that was not judged"


# --- Values -------------------------------------------------------------------------------------


def _of(name: str) -> Callable[[Row], Value]:
    """Return a reader of an attribute of the row's accuracy."""

    def value(row: Row) -> Value:
        found: Value = getattr(row.accuracy, name) if row.accuracy else None
        return found

    return value


def _of_difference(name: str) -> Callable[[Row], Value]:
    def value(row: Row) -> Value:
        difference = row.accuracy.difference if row.accuracy else None
        found: Value = getattr(difference, name) if difference else None
        return found

    return value


def _score(score: Score) -> Callable[[Row], float | None]:
    return lambda row: row.accuracy.figure(score) if row.accuracy else None


def _read(score: Score) -> Read:
    """Return a reader of what labels say, with its interval."""

    def read(row: Row, _: Results) -> Found:
        found = row.accuracy
        if found is None:
            return None
        if found.nan:
            return nan_reason(found.nan)
        value = found.figure(score)
        if value is None:
            return None
        # RMSE comes beside MAE, whose interval is kept.
        return exact(value) if score == "rmse" else Measured(value, found.low, found.high)

    return read


def _lost(score: Score) -> Read:
    """Return a reader of the loss against the original, or fp32 where that was not judged."""

    def read(row: Row, results: Results) -> Found:
        found, difference = _compared(row, results, score)
        if difference is None or difference.worse_by is None:
            return found
        return Measured(difference.worse_by, *(difference.loss_interval or (None, None)))

    return read


def _share_lost(score: Score) -> Read:
    """Return a reader of the same loss as a share of what the other model has."""

    def read(row: Row, results: Results) -> Found:
        loss = _lost(score)(row, results)
        found, difference = _compared(row, results, score)
        if not isinstance(loss, Measured) or not isinstance(found, Measured):
            return loss
        if difference is None or difference.value is None:
            return loss
        baseline = abs(found.value - difference.value)
        if baseline == 0:
            return f"{difference.compared_with} is at 0, and there is no percentage of that"
        return loss.mapped(lambda value: value / baseline)

    return read


def _compared(row: Row, results: Results, score: Score) -> tuple[Found, AccuracyDifference | None]:
    """Return the score, or what stands for a loss that cannot be told; and the difference."""
    found = _read(score)(row, results)
    if not isinstance(found, Measured) or row.accuracy is None:
        return found, None
    difference = row.accuracy.differences.get(score)
    if difference is not None:
        return found, difference
    if row.recipe == REFERENCE_RECIPE:
        return None, None
    return f"neither the original nor {row.format}/{REFERENCE_RECIPE} was judged beside it", None


# --- Cells --------------------------------------------------------------------------------------


def is_of_classes(accuracy: Accuracy) -> bool:
    """Whether labels are classes; else they are numbers, or judged by a metric."""
    return accuracy.correct is not None


def metric_title(metric: str) -> str:
    """Return the short name of a user's metric."""
    return metric.rpartition(":")[2]


def is_higher_better(metric: str) -> bool:
    """Return which way a user's metric points, as its name says."""
    return not metric.endswith(LOWER_IS_BETTER)


def _top1_cell(row: Row) -> str:
    accuracy = row.accuracy
    if accuracy is None or accuracy.top1 is None or accuracy.low is None or accuracy.high is None:
        return ""
    return with_interval(percent, accuracy.top1, accuracy.low, accuracy.high)


def _error_cell(score: Score, has_interval: bool) -> Callable[[Row], str]:
    """Return a writer of an error, or of the metric; "NaN" where outputs were."""

    def cell(row: Row) -> str:
        accuracy = row.accuracy
        if accuracy is None or is_of_classes(accuracy):
            return ""
        if (score == "metric") != (accuracy.metric is not None):
            return ""
        value = accuracy.figure(score)
        if value is None:
            return "NaN"
        ends = (accuracy.low, accuracy.high) if has_interval else (None, None)
        return with_interval(significant, value, *ends)

    return cell


def _metric_title(rows: Sequence[Row]) -> str:
    names = (row.accuracy.metric for row in rows if row.accuracy and row.accuracy.metric)
    return metric_title(next(names, "metric"))


def difference_cell(row: Row) -> str:
    """Return the verdict with its 95 % interval: of top-1 in points, of others in their unit.

    Beside "worse" and "better" stands by how much; beside "same" what is still possible, with a
    minus for less accuracy, or for a smaller error.
    """
    difference = row.accuracy.difference if row.accuracy else None
    if difference is None:
        return ""
    if difference.value is None:
        return f"{difference.verdict}: NaN"
    if difference.low is None or difference.high is None:
        return difference.verdict
    ends = (difference.low, difference.high)
    if difference.verdict == "same":
        low, high = _texts(difference, ends)
        return f"same [{low}, {high}]"
    less = "worse" if difference.higher_is_better else "better"
    sign = -1 if difference.verdict == less else 1
    values = (sign * difference.value, *sorted(sign * end for end in ends))
    value, low, high = _texts(difference, values)
    return f"{difference.verdict} by {value} [{low}, {high}]"


def difference_title(rows: Iterable[Row]) -> str:
    """Return the header over such cells: "vs original", or "vs fp32" where that is the other."""
    found = [row.accuracy.difference for row in rows if row.accuracy and row.accuracy.difference]
    others = {difference.compared_with.rpartition("/")[2] for difference in found}
    unit = "points [95 %]" if any(difference.p is not None for difference in found) else "[95 %]"
    return f"vs {others.pop()}\n{unit}" if len(others) == 1 else f"vs\n{unit}"


def _texts(difference: AccuracyDifference, values: tuple[float, ...]) -> list[str]:
    if difference.p is None:
        return [significant(value) for value in values]
    points = [100 * value for value in values]
    # A decimal more where thousands of samples make the interval narrower than one tenth.
    width = points[-1] - points[-2]
    decimals = max(1, -math.floor(math.log10(width))) if width > 0 else 1
    # Not "-0.0".
    return [f"{round(point, decimals) + 0.0:.{decimals}f}" for point in points]


# --- Figures ------------------------------------------------------------------------------------


def _accuracy(
    score: Score,
    sentence: str,
    quantity: Quantity,
    better: Better,
    title: str | Callable[[Sequence[Row]], str],
    cell: Callable[[Row], str],
    csv: str,
) -> Figure:
    """Return the figure of a score, with its gates on what was lost."""
    key = "accuracy" if score == "top1" else f"accuracy.{score}"
    return Figure(
        key,
        sentence,
        ACCURACY,
        quantity,
        _score(score),
        better,
        title=title,
        cell=cell,
        shows_interval=score != "rmse",
        csv=csv,
        is_gated=True,
        read=_read(score),
        origin=LABELS,
        aliases=("accuracy.top1",) if score == "top1" else (),
        baseline=Baseline(
            LOST, is_artifact, _lost(score), _share_lost(score), ("max_degradation",), LABELS
        ),
        compared_as=key,
        change_title="" if isinstance(title, str) else "metric",
        says_verdict=True,
        is_general=score == "top1",
    )


def _fact(
    name: str,
    sentence: str,
    read: Callable[[Row], Value],
    quantity: Quantity = NUMBER,
    group: Group = ACCURACY,
) -> Figure:
    """Return what stands in CSV only, as `accuracy_NAME`."""
    return Figure(f"accuracy.{name}", sentence, group, quantity, read, csv=f"accuracy_{name}")


FIGURES = (
    _fact("output", "Which output the labels are about.", _of("output"), WORDS, BASIS),
    _fact("samples", "How many labelled samples it was judged on.", _of("samples"), TALLY, BASIS),
    _accuracy(
        "top1",
        "The share of labelled samples whose first class is the label, with its 95 % interval "
        "(Wilson).",
        SHARE,
        "more",
        "accuracy",
        _top1_cell,
        "accuracy_top1",
    ),
    _accuracy(
        "mae",
        "Where labels are real numbers: the mean absolute error, in their unit, with its 95 % "
        "interval (bootstrap).",
        NUMBER,
        "less",
        "MAE",
        _error_cell("mae", has_interval=True),
        "accuracy_mae",
    ),
    _accuracy(
        "rmse",
        "The root mean square error, likewise and without an interval.",
        NUMBER,
        "less",
        "RMSE",
        _error_cell("rmse", has_interval=False),
        "accuracy_rmse",
    ),
    Figure(
        "accuracy.metric_name",
        "Your own metric, as `module:function`.",
        ACCURACY,
        WORDS,
        _of("metric"),
        csv="accuracy_metric",
    ),
    _accuracy(
        "metric",
        "What your own metric says (`bench --metric`), with its 95 % interval (bootstrap). Its "
        "column has the name of the function.",
        NUMBER,
        "by name",
        _metric_title,
        _error_cell("metric", has_interval=True),
        "accuracy_value",
    ),
    _fact("low", "The lower end of the interval of accuracy, MAE or your metric.", _of("low")),
    _fact("high", "The upper end of it.", _of("high")),
    _fact(
        "nan",
        "How many samples have an output that is NaN or infinite. In accuracy they count as wrong.",
        _of("nan"),
        TALLY,
    ),
    _fact("reason", "Why accuracy was not judged.", lambda row: row.accuracy_reason, WORDS),
    _fact(
        "compared_with",
        "What the accuracy is compared with: the original, or fp32 where that was not judged.",
        _of_difference("compared_with"),
        WORDS,
    ),
    _fact(
        "difference",
        "This row's accuracy (MAE, metric) minus the other's.",
        _of_difference("value"),
    ),
    _fact("difference_low", "The lower end of its 95 % interval.", _of_difference("low")),
    _fact("difference_high", "The upper end of it.", _of_difference("high")),
    Figure(
        "accuracy.verdict",
        "What may be claimed of the difference: `same`, `worse`, `better` or `too few samples`. "
        "`same` means that none could be shown; the brackets say how large one could be "
        "nevertheless. Its column is called after what is compared with.",
        ACCURACY,
        WORDS,
        _of_difference("verdict"),
        title=difference_title,
        cell=difference_cell,
        csv="accuracy_verdict",
    ),
)
