"""Accuracy beside known answers, and labels that do not fit."""

import numpy as np
import pytest

from edgekit.bench.accuracy.judge import open_judge
from edgekit.bench.accuracy.labels import labelled_output
from edgekit.results.accuracy import Accuracy, wilson_interval
from edgekit_runtimes.errors import DataError, UsageError

SCORES = np.array([[0.9, 0.1, 0.0], [0.2, 0.7, 0.1], [0.1, 0.1, 0.8], [0.5, 0.4, 0.1]])


def judge(labels, outputs, name=None):
    labelled = labelled_output(np.asarray(labels), len(labels), outputs, name)
    judging = open_judge(labelled)
    half = len(labels) // 2
    for start, stop in ((0, half), (half, len(labels))):
        judging.add(start, {key: array[start:stop] for key, array in outputs.items()})
    return judging.result().accuracy


def test_top1_accuracy_is_the_share_of_first_classes_that_are_the_label():
    accuracy = judge([0, 1, 2, 1], {"class": SCORES})
    assert (accuracy.output, accuracy.samples, accuracy.correct) == ("class", 4, 3)
    assert accuracy.top1 == 0.75
    assert (accuracy.low, accuracy.high) == wilson_interval(3, 4)
    assert accuracy.mae is None


@pytest.mark.parametrize(
    ("correct", "samples", "low", "high"),
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    [
        *((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605)),
        *((0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718), (29, 29, 0.8830, 1.0)),
    ],
)
def test_the_wilson_interval_is_the_published_one(correct, samples, low, high):
    assert wilson_interval(correct, samples) == pytest.approx((low, high), abs=5e-5)


def test_float_labels_have_mean_and_root_mean_square_error():
    accuracy = judge([1.0, 2.0, 3.0, 4.0], {"age": np.array([[1.0], [4.0], [3.0], [8.0]])})
    assert accuracy.mae == pytest.approx(1.5)
    assert accuracy.rmse == pytest.approx(np.sqrt(5.0))
    assert accuracy.top1 is None


def test_float_labels_of_several_values_a_sample_are_compared_one_by_one():
    labels = np.array([[0.0, 0.0], [1.0, 1.0]])
    accuracy = judge(labels, {"point": np.array([[0.0, 2.0], [1.0, 1.0]])})
    assert accuracy.mae == pytest.approx(0.5)
    assert accuracy.rmse == pytest.approx(1.0)


def test_the_mean_absolute_error_has_an_interval_where_there_are_samples_enough():
    generator = np.random.default_rng(3)
    labels, errors = generator.standard_normal((2, 400))
    accuracy = judge(labels, {"age": (labels + errors)[:, None]})
    half = 1.96 * np.abs(errors).std() / np.sqrt(400)
    assert accuracy.low == pytest.approx(accuracy.mae - half, abs=0.01)
    assert accuracy.high == pytest.approx(accuracy.mae + half, abs=0.01)
    few = judge(labels[:19], {"age": (labels + errors)[:19, None]})
    assert (few.low, few.high) == (None, None)


def test_a_nan_score_is_a_wrong_answer_and_is_counted():
    scores = SCORES.copy()
    scores[0, 2] = np.nan
    accuracy = judge([0, 1, 2, 1], {"class": scores})
    assert (accuracy.correct, accuracy.nan) == (2, 1)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_nan_value_leaves_no_error_to_report(value):
    accuracy = judge([1.0, 2.0], {"age": np.array([[1.0], [value]])})
    assert accuracy == Accuracy("age", 2, nan=1)


def test_of_several_outputs_the_named_one_is_judged():
    outputs = {"age": np.ones((4, 1)), "class": SCORES}
    assert judge([0, 1, 2, 1], outputs, "class").correct == 3


@pytest.mark.parametrize(
    ("labels", "shapes", "message"),
    [
        ([0, 1], {"class": (3,)}, "There are 2 labels for 4 samples. Give one label per sample."),
        (
            [0, 1, 2, 3],
            {"class": (3,)},
            "Label 3 is outside the 3 classes of output 'class' (0 to 2).",
        ),
        ([0, -1, 2, 1], {"class": (3,)}, "Label -1 is outside the 3 classes"),
        ([[1, 0]] * 4, {"class": (2,)}, "of one-hot labels take the argmax"),
        ([0, 1, 1, 0], {"age": (1,)}, "Give the labels as floats to have MAE and RMSE"),
        ([0, 1, 1, 0], {"mask": (8, 8, 2)}, "shape [8, 8, 2] per sample, not one score per class"),
        (
            [[0.0, 1.0]] * 4,
            {"age": (1,)},
            "Labels have shape [2] per sample and output 'age' has [1].",
        ),
        ([0.0, np.nan, 1.0, 2.0], {"age": (1,)}, "Labels hold NaN or infinite values."),
        (
            ["a", "b", "c", "d"],
            {"class": (3,)},
            "Give integers (class numbers) or floats (values).",
        ),
        (
            [0, 1, 2, 0],
            {"a": (3,), "b": (3,)},
            "The model has 2 outputs (a, b). Say which one the labels are about with --labels-of.",
        ),
    ],
)
def test_labels_that_do_not_fit_are_refused_with_the_remedy(labels, shapes, message):
    original = {name: np.zeros((1, *shape)) for name, shape in shapes.items()}
    with pytest.raises(DataError) as caught:
        labelled_output(np.asarray(labels), 4, original)
    assert message in str(caught.value)


def test_labels_for_no_samples_are_refused():
    with pytest.raises(DataError, match="no samples"):
        labelled_output(np.zeros(0, np.int64), 0, {"class": np.zeros((1, 3))})


def test_an_unknown_output_is_answered_with_the_nearest_one():
    with pytest.raises(UsageError, match="Did you mean 'class'"):
        labelled_output(np.array([0]), 1, {"class": SCORES, "age": SCORES}, "clas")
