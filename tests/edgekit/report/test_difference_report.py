"""What an artifact lost and what was not steady, in the table's words."""

from dataclasses import replace

import pytest
from results_by_hand import results_of

from edgekit.report.columns import table_columns
from edgekit.report.lines import legend, row_notes
from edgekit.results.accuracy import Accuracy, AccuracyDifference
from edgekit.results.figures.difference import difference_cell, difference_title
from edgekit.results.results import Row
from edgekit.results.statistics import Statistics
from edgekit.results.steadiness import Steadiness
from edgekit.text.table import verdict_style

TOP1 = AccuracyDifference(
    "original", -0.012, -0.021, -0.004, "worse", True, "McNemar, mid-p", 0.01, 3, 15
)
ERROR = AccuracyDifference("tflite/fp32", 0.1234, 0.0512, 0.2, "worse", False, "paired bootstrap")
ROW = Row(
    device="host",
    id="tflite/int8",
    format="tflite",
    recipe="int8",
    engine="litert",
    status="ok",
    statistics=Statistics(60, 53_300.0, 55_000.0, 1e3, 51_000.0, 0),
)


def top1(difference):
    return Accuracy("class", 1000, 0.973, 0.961, 0.981, 973, differences={"top1": difference})


def mae(difference):
    return Accuracy("age", 90, None, 1.4, 1.6, mae=1.5, rmse=2, differences={"mae": difference})


@pytest.mark.parametrize(
    ("accuracy", "text"),
    [
        (top1(TOP1), "worse by 1.2 [0.4, 2.1]"),
        (
            top1(replace(TOP1, value=0.012, low=0.004, high=0.021, verdict="better")),
            "better by 1.2 [0.4, 2.1]",
        ),
        (
            top1(replace(TOP1, value=-0.001, low=-0.0062, high=0.0041, verdict="same")),
            "same [-0.6, 0.4]",
        ),
        # A hundred thousand samples know it better than to a tenth of a point.
        (
            top1(replace(TOP1, value=-0.0004, low=-0.0006, high=-0.0002)),
            "worse by 0.04 [0.02, 0.06]",
        ),
        (
            top1(replace(TOP1, value=0.0, low=-0.0001, high=0.0001, verdict="same")),
            "same [-0.01, 0.01]",
        ),
        (mae(ERROR), "worse by 0.123 [0.0512, 0.200]"),
        (
            mae(replace(ERROR, value=-0.1, low=-0.2, high=-0.05, verdict="better")),
            "better by 0.100 [0.0500, 0.200]",
        ),
        (mae(replace(ERROR, value=0.0, low=0.0, high=0.0, verdict="same")), "same [0, 0]"),
        (mae(replace(ERROR, value=None, low=None, high=None)), "worse: NaN"),
        (mae(replace(ERROR, low=None, high=None, verdict="too few samples")), "too few samples"),
        (replace(top1(TOP1), differences={}), ""),
        (None, ""),
    ],
)
def test_a_difference_is_a_verdict_with_its_interval(accuracy, text):
    assert difference_cell(replace(ROW, accuracy=accuracy)) == text


def test_the_header_says_with_what_and_in_which_unit():
    def title(*accuracies):
        return difference_title([replace(ROW, accuracy=accuracy) for accuracy in accuracies])

    assert title(None, top1(TOP1)) == "vs original\npoints [95 %]"
    onnx, original = (replace(ERROR, compared_with=name) for name in ("onnx/fp32", "original"))
    assert title(mae(ERROR), mae(onnx)) == "vs fp32\n[95 %]"
    assert title(mae(ERROR), mae(original)) == "vs\n[95 %]"


def test_a_loss_is_red_and_a_gain_is_green():
    assert verdict_style("worse by 1.2 [0.4, 2.1]") == verdict_style("worse: NaN") == "red"
    assert verdict_style("better by 1.2 [0.4, 2.1]") == "green"
    assert verdict_style("same [-0.6, 0.4]") == ""


def test_a_metric_of_the_users_own_has_a_column_of_its_name():
    accuracy = Accuracy("box", 90, low=0.7, high=0.8, metric="judges:iou", value=0.75)
    table = {
        column.header: column.cells for column in table_columns([replace(ROW, accuracy=accuracy)])
    }
    assert table["iou\n[95 %]"] == ("0.750 [0.700, 0.800]",)
    assert not {"MAE\n[95 %]", "accuracy\n% [95 %]"} & set(table)


def test_what_same_means_is_said_once():
    same = replace(ROW, accuracy=top1(replace(TOP1, verdict="same")))
    worse = replace(ROW, accuracy=top1(TOP1))
    results = results_of(same, worse, environments={})
    assert legend(results, [same, same]) == [
        "same: no difference in accuracy was found; the brackets say how large it could be"
    ]
    assert legend(results, [worse]) == []


@pytest.mark.parametrize(
    ("steadiness", "note"),
    [
        (
            Steadiness(0.031, 0.004, ("trend",)),
            "tflite/int8: not steady: 3.10 % slower in the last quarter than in the first",
        ),
        (
            Steadiness(-0.05, 0.12, ("trend", "first quarter")),
            "tflite/int8: not steady: 5.00 % faster in the last quarter than in the first, "
            "and 12.0 % slower in the first quarter than in the others",
        ),
    ],
)
def test_what_was_not_steady_is_said_below_the_table(steadiness, note):
    assert row_notes([replace(ROW, steadiness=steadiness)]) == [note]
    assert row_notes([replace(ROW, steadiness=Steadiness(0.031, 0.2))]) == []
