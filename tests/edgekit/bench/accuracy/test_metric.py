"""The user's own metric: its two forms, and functions that do not work."""

import numpy as np
import pytest

from edgekit.bench.accuracy.judge import open_judge
from edgekit.bench.accuracy.labels import labelled_output
from edgekit.bench.accuracy.metric import Metric, open_metric
from edgekit.results.accuracy import Accuracy
from edgekit_runtimes.errors import DataError, UsageError

GENERATOR = np.random.default_rng(5)
SAMPLES = 300
LABELS = GENERATOR.integers(0, 2, SAMPLES)
SCORES = np.clip(LABELS + GENERATOR.normal(0, 0.6, SAMPLES), 0, 1).astype(np.float32)[:, None]


def hit(outputs, labels):
    return (outputs[:, 0] > 0.5) == labels


def f1(outputs, labels):
    found = outputs[:, 0] > 0.5
    return 2 * (found & (labels == 1)).sum() / (found.sum() + labels.sum())


def judge(function, outputs=SCORES, labels=LABELS, pieces=3):
    metric = Metric(f"judges:{function.__name__}", function)
    judging = open_judge(labelled_output(labels, len(labels), {"score": outputs}, metric=metric))
    for numbers in np.array_split(np.arange(len(labels)), pieces):
        judging.add(int(numbers[0]), {"score": outputs[numbers]})
    return judging.result()


def test_of_one_number_a_sample_the_mean_is_the_metric():
    judgement = judge(hit)
    accuracy = judgement.accuracy
    assert accuracy.metric == "judges:hit"
    assert accuracy.value == pytest.approx(hit(SCORES, LABELS).mean())
    half = 1.96 * hit(SCORES, LABELS).std() / np.sqrt(SAMPLES)
    assert (accuracy.low, accuracy.high) == pytest.approx(
        (accuracy.value - half, accuracy.value + half), abs=0.01
    )
    assert (accuracy.top1, accuracy.mae) == (None, None)
    assert judgement.higher_is_better


def test_one_number_for_all_samples_is_worked_out_on_all_of_them_at_once():
    accuracy = judge(f1).accuracy
    assert accuracy.value == pytest.approx(f1(SCORES, LABELS))
    assert accuracy.low < accuracy.value < accuracy.high
    assert accuracy.high - accuracy.low < 0.15


def test_both_forms_of_one_metric_have_the_same_value_and_interval():
    def hits(outputs, labels):
        return hit(outputs, labels).mean()

    single, whole = judge(hit).accuracy, judge(hits).accuracy
    assert (single.value, single.low, single.high) == pytest.approx(
        (whole.value, whole.low, whole.high)
    )


def test_a_name_that_ends_in_error_says_that_less_is_better():
    assert not Metric("judges:pinball_loss", f1).higher_is_better
    assert not Metric("judges:angle_error", f1).higher_is_better
    assert Metric("judges:error_free", f1).higher_is_better


def test_labels_of_any_shape_are_handed_on_as_they_are():
    def inside(outputs, labels):
        assert labels.dtype == np.uint8
        return (labels == 7).mean(axis=(1, 2))

    assert judge(inside, labels=np.full((SAMPLES, 2, 3), 7, np.uint8)).accuracy.value == 1


def test_a_metric_of_nan_has_no_value():
    def nothing(outputs, labels):
        return np.where(labels == 1, np.nan, 1.0)

    assert judge(nothing).accuracy == Accuracy("score", SAMPLES, metric="judges:nothing")


def test_outputs_of_nan_are_counted_beside_a_metric():
    outputs = SCORES.copy()
    outputs[:7] = np.nan
    accuracy = judge(hit, outputs).accuracy
    assert accuracy.nan == 7
    assert accuracy.value == pytest.approx(hit(outputs, LABELS).mean())


def test_a_metric_that_cannot_judge_some_draws_has_no_interval():
    labels = np.zeros(SAMPLES, np.int64)
    labels[0] = 1

    def recall(outputs, labels):
        if not labels.any():
            raise ValueError("no positive sample")
        return 0.5

    accuracy = judge(recall, labels=labels, pieces=1).accuracy
    assert (accuracy.value, accuracy.low, accuracy.high) == (0.5, None, None)


def slip(outputs, labels):
    return outputs.sum() / {}["total"]


def pairs(outputs, labels):
    return np.stack([labels, labels])


def words(outputs, labels):
    return "good"


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (slip, "judges:slip failed: KeyError: 'total'"),
        (
            pairs,
            "judges:pairs returned an array of shape [2, 300]. Return one number per sample "
            "(here 300), or one number for all of them.",
        ),
        (words, "judges:words returned a str. Return one number per sample (here 300), or one"),
    ],
)
def test_a_function_that_does_not_work_is_named_with_its_error(function, message):
    with pytest.raises(DataError) as caught:
        judge(function)
    assert message in str(caught.value)


def test_a_function_that_changes_its_form_is_refused():
    calls = []

    def fickle(outputs, labels):
        calls.append(len(outputs))
        return 0.5 if len(calls) == 3 else hit(outputs, labels)

    with pytest.raises(DataError, match="for samples 100 to 199 and one per sample before"):
        judge(fickle)

    def growing(outputs, labels):
        return hit(outputs, labels) if len(outputs) == SAMPLES else 0.5

    with pytest.raises(DataError, match="300 numbers for 300 samples and one for fewer"):
        judge(growing)


def test_the_trial_takes_labels_from_all_over_the_data():
    sorted_labels = np.sort(GENERATOR.integers(0, 2, 5_000))
    seen = []

    def look(outputs, labels):
        seen.append((len(outputs), labels.mean()))
        return 0.0

    Metric("judges:look", look).try_out(SCORES[:8], sorted_labels)
    assert seen == [(1_000, pytest.approx(0.5, abs=0.05))]


def test_a_metric_is_found_in_the_working_folder(tmp_path, monkeypatch):
    (tmp_path / "judges_of_this_folder.py").write_text(
        "def iou(outputs, labels):\n    return 1.0\n"
    )
    monkeypatch.chdir(tmp_path)
    metric = open_metric("judges_of_this_folder:iou")
    assert metric.name == "judges_of_this_folder:iou"
    assert metric(SCORES, LABELS) == 1
    with pytest.raises(
        DataError, match="the module 'judges_of_this_folder' has no function 'dice'"
    ):
        open_metric("judges_of_this_folder:dice")
    with pytest.raises(DataError, match="the module 'no_judges' could not be imported"):
        open_metric("no_judges:iou")


@pytest.mark.parametrize("word", ["iou", "judges.py:iou", "judges:", "a/b:iou"])
def test_words_that_name_no_function_are_refused(word):
    with pytest.raises((UsageError, DataError)) as caught:
        open_metric(word)
    assert word in str(caught.value)
