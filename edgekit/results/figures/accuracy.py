"""Figures of accuracy: what labels say, and how that differs from the original's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from edgekit.results import REFERENCE_RECIPE
from edgekit.results.figures.agreement import nan_reason
from edgekit.results.figures.difference import difference_cell, difference_title
from edgekit.results.figures.figure import (
    ACCURACY,
    BASIS,
    Baseline,
    Compared,
    Figure,
    Gated,
    Kind,
    Shown,
    facts,
    is_artifact,
    value_at,
)
from edgekit.results.figures.measured import Found, Measured, Read, exact
from edgekit.text.quantities import NUMBER, SHARE, TALLY, WORDS
from edgekit.text.units import percent, significant, with_interval

if TYPE_CHECKING:
    from edgekit.results.accuracy import Accuracy, AccuracyDifference, Score
    from edgekit.results.results import Results, Row

LABELS = "accuracy needs labelled samples (bench --data)"
LOST = "Lost against the original, or against fp32 where that was not judged"


# --- Values -------------------------------------------------------------------------------------


def _score(score: Score) -> Callable[[Row], float | None]:
    return lambda row: row.accuracy.score(score) if row.accuracy else None


def _read(score: Score) -> Read:
    """Return a reader of what labels say, with its interval."""

    def read(row: Row, _: Results) -> Found:
        found = row.accuracy
        if found is None:
            return None
        if found.nan:
            return nan_reason(found.nan)
        value = found.score(score)
        if value is None:
            return None
        # RMSE comes with MAE, whose interval is kept.
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
            return f"{difference.compared_with} is at 0, so no percentage can be given"
        return loss.mapped(lambda value: value / baseline)

    return read


def _compared(row: Row, results: Results, score: Score) -> tuple[Found, AccuracyDifference | None]:
    """Return the score, or what replaces an unknown loss; and the difference."""
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


def _top1_cell(row: Row) -> str:
    accuracy = row.accuracy
    if accuracy is None or accuracy.top1 is None or accuracy.low is None or accuracy.high is None:
        return ""
    return with_interval(percent, accuracy.top1, accuracy.low, accuracy.high)


def _error_cell(score: Score) -> Callable[[Row], str]:
    """Return a writer of an error, or of the metric; "NaN" where outputs were."""

    def cell(row: Row) -> str:
        accuracy = row.accuracy
        if accuracy is None or is_of_classes(accuracy):
            return ""
        if (score == "metric") != (accuracy.metric is not None):
            return ""
        value = accuracy.score(score)
        if value is None:
            return "NaN"
        ends = (None, None) if score == "rmse" else (accuracy.low, accuracy.high)
        return with_interval(significant, value, *ends)

    return cell


def _metric_title(rows: Sequence[Row]) -> str:
    names = (row.accuracy.metric for row in rows if row.accuracy and row.accuracy.metric)
    return metric_title(next(names, "metric"))


# --- Figures ------------------------------------------------------------------------------------


NUMBERS = Kind(ACCURACY, NUMBER)


def _score_figure(
    score: Score,
    sentence: str,
    kind: Kind,
    csv: str,
    shown: Shown,
    aliases: tuple[str, ...] = (),
) -> Figure:
    """Return the figure of a score, with its gates on what was lost."""
    key = "accuracy" if score == "top1" else f"accuracy.{score}"
    baseline = Baseline(
        LOST, is_artifact, _lost(score), _share_lost(score), ("max_degradation",), LABELS
    )
    gated = Gated(read=_read(score), origin=LABELS, aliases=aliases, baseline=baseline)
    compared = Compared(key, says_verdict=True, is_general=score == "top1")
    return Figure(key, sentence, kind, _score(score), csv, shown, gated, compared)


WORD = Kind(ACCURACY, WORDS)
ERROR = Kind(ACCURACY, NUMBER, "less")

FIGURES = (
    *facts(
        Kind(BASIS, WORDS),
        accuracy_output=(value_at("accuracy.output"), "Which output the labels are about."),
    ),
    *facts(
        Kind(BASIS, TALLY),
        accuracy_samples=(value_at("accuracy.samples"), "How many labelled samples there were."),
    ),
    _score_figure(
        "top1",
        "The share of labelled samples whose first class is the label, with its 95 % interval "
        "(Wilson).",
        Kind(ACCURACY, SHARE, "more"),
        "accuracy_top1",
        Shown("accuracy", _top1_cell, has_interval=True),
        aliases=("accuracy.top1",),
    ),
    _score_figure(
        "mae",
        "Where labels are real numbers: the mean absolute error, in their unit, with its 95 % "
        "interval (bootstrap).",
        ERROR,
        "accuracy_mae",
        Shown("MAE", _error_cell("mae"), has_interval=True),
    ),
    _score_figure(
        "rmse",
        "The root mean square error, likewise and without an interval.",
        ERROR,
        "accuracy_rmse",
        Shown("RMSE", _error_cell("rmse")),
    ),
    *facts(
        WORD,
        accuracy_metric=(value_at("accuracy.metric"), "Your own metric, as `module:function`."),
    ),
    _score_figure(
        "metric",
        "What your own metric says (`bench --metric`), with its 95 % interval (bootstrap). Its "
        "column has the name of the function.",
        Kind(ACCURACY, NUMBER, "by name"),
        "accuracy_value",
        Shown(_metric_title, _error_cell("metric"), has_interval=True, changed="metric"),
    ),
    *facts(
        NUMBERS,
        accuracy_low=(
            value_at("accuracy.low"),
            "The lower end of the interval of accuracy, MAE or your metric.",
        ),
        accuracy_high=(value_at("accuracy.high"), "The upper end of it."),
        accuracy_nan=(
            value_at("accuracy.nan"),
            "How many samples have an output that is NaN or infinite. In accuracy they count as "
            "wrong.",
        ),
    ),
    *facts(
        WORD,
        accuracy_reason=(value_at("accuracy_reason"), "Why accuracy was not judged."),
        accuracy_compared_with=(
            value_at("accuracy.difference.compared_with"),
            "What the accuracy is compared with: the original, or fp32 where that was not judged.",
        ),
    ),
    *facts(
        NUMBERS,
        accuracy_difference=(
            value_at("accuracy.difference.value"),
            "This row's accuracy (MAE, metric) minus the other's.",
        ),
        accuracy_difference_low=(
            value_at("accuracy.difference.low"),
            "The lower end of its 95 % interval.",
        ),
        accuracy_difference_high=(value_at("accuracy.difference.high"), "The upper end of it."),
    ),
    Figure(
        "accuracy.verdict",
        "What may be claimed of the difference: `same`, `worse`, `better` or `too few samples`. "
        "`same` means that none could be shown; the brackets say how large one could be "
        "nevertheless. Its column is named after what it is compared with.",
        WORD,
        value_at("accuracy.difference.verdict"),
        "accuracy_verdict",
        Shown(difference_title, difference_cell),
    ),
)
