"""Two models on the same samples: McNemar's test, the paired bootstrap, and what rows say."""

import math
from dataclasses import replace

import numpy as np
import pytest

from edgekit.bench.accuracy import resample
from edgekit.bench.accuracy.judge import open_judge
from edgekit.bench.accuracy.labels import labelled_output
from edgekit.bench.accuracy.metric import Metric
from edgekit.bench.accuracy.paired import (
    bonett_price_interval,
    compare_right,
    compared_rows,
    differences,
    mcnemar_mid_p,
)
from edgekit.forms import from_form, to_form
from edgekit.results.accuracy import Accuracy
from edgekit.results.results import Row

GENERATOR = np.random.default_rng(11)
SAMPLES = 400
LABELS = GENERATOR.integers(0, 3, SAMPLES)


def right_but_for(*wrong):
    """Scores that are right for all samples but these."""
    classes = LABELS.copy()
    classes[list(wrong)] = (classes[list(wrong)] + 1) % 3
    return np.eye(3)[classes]


def judged(labels, outputs, metric=None):
    judge = open_judge(labelled_output(labels, len(labels), {"y": outputs}, metric=metric))
    judge.add(0, {"y": outputs})
    return judge.result()


def split(here, there, samples):
    """Which samples two models get right, if this many are right in only one of them."""
    mine, other = np.ones((2, samples), bool)
    mine[:there] = False
    other[there : there + here] = False
    return mine, other


# --- McNemar ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("here", "there", "p"),
    [
        # Fagerland, Lydersen and Laake (2013): 1 against 7 airways, mid-p .0391 (exact .0703).
        (1, 7, 0.0391),
        # Worked out by hand: 2 (.5 ^ 6) - .5 ^ 6; no sample that differs; an even split.
        (0, 6, 0.5**6),
        (0, 0, 1.0),
        (9, 9, 1.0),
    ],
)
def test_mcnemars_mid_p_is_the_published_one(here, there, p):
    assert mcnemar_mid_p(here, there) == pytest.approx(p, abs=5e-5)
    assert mcnemar_mid_p(there, here) == mcnemar_mid_p(here, there)


@pytest.mark.parametrize(("here", "there"), [(4_900, 5_100), (90_000, 91_000)])
def test_for_many_samples_the_mid_p_is_that_of_the_normal_distribution(here, there):
    z = abs(here - there) / math.sqrt(here + there)
    assert mcnemar_mid_p(here, there) == pytest.approx(math.erfc(z / math.sqrt(2)), rel=0.01)


def test_the_interval_of_a_difference_is_bonett_and_prices():
    # The same airways, 21 of them: (2 - 8) / 23 and 1.96 root((10 / 23 - (6 / 23)^2) / 23).
    assert bonett_price_interval(1, 7, 21) == pytest.approx((-0.5084, -0.0134), abs=5e-5)


def test_where_no_answer_differs_the_interval_still_has_a_width():
    low, high = bonett_price_interval(0, 0, 300)
    assert low == -high
    assert 0.005 < high < 0.015


@pytest.mark.parametrize(
    ("here", "there", "verdict"),
    [(0, 0, "same"), (3, 7, "same"), (5, 17, "worse"), (17, 5, "better"), (0, 5, "same")],
)
def test_a_verdict_needs_the_test_and_the_interval(here, there, verdict):
    difference = compare_right(*split(here, there, SAMPLES), "original")
    assert difference.verdict == verdict
    assert difference.value == pytest.approx((here - there) / SAMPLES)
    assert (difference.only_here, difference.only_there) == (here, there)
    assert difference.low < difference.value < difference.high
    assert difference.loss_interval == pytest.approx((-difference.high, -difference.low))


def test_where_the_test_alone_would_claim_a_difference_the_interval_must_agree():
    # p is .031 with 5 of 5 answers lost.
    difference = compare_right(*split(0, 5, SAMPLES), "original")
    assert difference.p < 0.05
    assert difference.low < 0 < difference.high


@pytest.mark.parametrize("differing", [0.02, 0.1])
@pytest.mark.parametrize("samples", [100, 1_000])
def test_equal_models_are_called_different_in_at_most_five_of_a_hundred(samples, differing):
    generator = np.random.default_rng(20261121)
    trials = 1_500
    counts = generator.multinomial(
        samples, [differing / 2, differing / 2, 1 - differing], size=trials
    )
    claimed = covered = 0
    for here, there, _ in counts.tolist():
        low, high = bonett_price_interval(here, there, samples)
        claimed += mcnemar_mid_p(here, there) < 0.05 and not low <= 0 <= high
        covered += low <= 0 <= high
    assert claimed / trials <= 0.05
    assert covered / trials >= 0.94


def test_a_loss_of_two_points_is_found_in_a_thousand_samples():
    generator = np.random.default_rng(20261121)
    counts = generator.multinomial(1_000, [0.01, 0.03, 0.96], size=300).tolist()
    verdicts = [
        compare_right(*split(here, there, 1_000), "original").verdict for here, there, _ in counts
    ]
    assert verdicts.count("worse") / 300 >= 0.8
    assert "better" not in verdicts


# --- The bootstrap ------------------------------------------------------------------------------


def test_two_models_are_judged_on_the_same_draws():
    first = np.concatenate(list(resample.draws(50)))
    second = np.concatenate(list(resample.draws(50)))
    assert first.shape == (resample.RESAMPLES, 50)
    assert np.array_equal(first, second)
    assert not np.array_equal(first[0], first[1])


def test_a_paired_interval_is_that_of_the_differences_and_not_of_the_sum():
    labels = GENERATOR.standard_normal(SAMPLES)
    errors = GENERATOR.exponential(10, SAMPLES)
    extra = 0.5 + 0.2 * GENERATOR.standard_normal(SAMPLES)
    other = judged(labels, (labels + errors)[:, None])
    mine = judged(labels, (labels + errors + extra)[:, None])
    difference = differences(mine, other, "original")["mae"]
    half = 1.96 * extra.std() / math.sqrt(SAMPLES)
    assert difference.low == pytest.approx(extra.mean() - half, abs=0.01)
    assert difference.high == pytest.approx(extra.mean() + half, abs=0.01)
    assert (difference.verdict, difference.worse_by) == ("worse", difference.value)
    assert difference.loss_interval == (difference.low, difference.high)
    # Unpaired, the errors themselves would hide it: they are known to about 1 only.
    assert mine.accuracy.low < other.accuracy.mae < mine.accuracy.high


def test_mae_and_rmse_each_have_their_difference():
    labels = np.zeros(SAMPLES)
    other = judged(labels, np.ones((SAMPLES, 1)))
    found = differences(judged(labels, 0.5 * np.ones((SAMPLES, 1))), other, "original")
    assert list(found) == ["mae", "rmse"]
    assert {difference.verdict for difference in found.values()} == {"better"}
    assert found["mae"].value == found["rmse"].value == pytest.approx(-0.5)
    assert found["mae"].worse_by == pytest.approx(-0.5)


def test_equal_outputs_are_the_same():
    labels = np.zeros(SAMPLES)
    one = judged(labels, np.ones((SAMPLES, 1)))
    difference = differences(one, one, "original")["mae"]
    assert (difference.value, difference.low, difference.high) == (0, 0, 0)
    assert difference.verdict == "same"


def test_too_few_samples_are_said_to_be_too_few():
    labels = np.zeros(resample.MIN_SAMPLES - 1)
    other, mine = (judged(labels, np.full((labels.size, 1), value)) for value in (1.0, 2.0))
    difference = differences(mine, other, "original")["mae"]
    assert difference.verdict == "too few samples"
    assert (difference.value, difference.low, difference.loss_interval) == (1.0, None, None)


@pytest.mark.parametrize(("name", "verdict"), [("iou", "worse"), ("iou_loss", "better")])
def test_a_metric_is_compared_the_way_its_name_points(name, verdict):
    metric = Metric(f"judges:{name}", lambda outputs, labels: outputs[:, 0])
    noise = GENERATOR.standard_normal(SAMPLES)
    other = judged(LABELS, (2 + noise)[:, None], metric)
    mine = judged(LABELS, (1 + noise + 0.1 * GENERATOR.random(SAMPLES))[:, None], metric)
    difference = differences(mine, other, "original")["metric"]
    assert difference.verdict == verdict
    assert difference.value == pytest.approx(-0.95, abs=0.02)


def test_a_metric_of_all_samples_at_once_is_paired_too():
    def correlation(outputs, labels):
        return np.corrcoef(outputs[:, 0], labels)[0, 1]

    metric = Metric("judges:correlation", correlation)
    noise = GENERATOR.standard_normal(SAMPLES)
    other = judged(LABELS, (LABELS + noise)[:, None], metric)
    mine = judged(LABELS, (LABELS + 1.1 * noise)[:, None], metric)
    difference = differences(mine, other, "original")["metric"]
    assert difference.verdict == "worse"
    # Each by itself is known far worse than the difference.
    alone = mine.accuracy.high - mine.accuracy.low
    assert difference.high - difference.low < 0.2 * alone


def test_nan_outputs_are_worse_by_no_number():
    labels = np.zeros(SAMPLES)
    fine, broken = np.ones((2, SAMPLES, 1))
    broken[3] = np.nan
    other, mine = judged(labels, fine), judged(labels, broken)
    difference = differences(mine, other, "original")["mae"]
    assert (difference.verdict, difference.value) == ("worse", None)
    assert (difference.worse_by, difference.loss_interval) == (None, None)
    assert differences(other, mine, "original") == {}


@pytest.mark.parametrize("samples", [25, 200])
def test_the_bootstraps_interval_covers_the_true_difference(samples):
    """Differences are skewed, as those of errors are."""
    generator = np.random.default_rng(20261121)
    trials, covered = 300, 0
    for _ in range(trials):
        shifts = resample.resampled_mean(generator.gamma(2.0, 1.0, samples))
        low, high = resample.interval(shifts, samples)
        covered += low <= 2.0 <= high
    assert 0.92 <= covered / trials <= 0.99


def test_of_each_model_a_bit_a_sample_is_kept_or_the_figures_on_the_draws():
    assert GOOD.right.nbytes == SAMPLES / 8
    judgement = judged(np.zeros(SAMPLES), np.ones((SAMPLES, 1)))
    assert judgement.right is None
    assert [figures.size for figures in judgement.resampled.values()] == [resample.RESAMPLES] * 2


# --- Rows ---------------------------------------------------------------------------------------


def row(device, name, judgement):
    form, _, recipe = name.partition("/")
    return Row(device, name, form, recipe, "litert", "ok", accuracy=judgement.accuracy)


GOOD, WORSE = judged(LABELS, right_but_for()), judged(LABELS, right_but_for(*range(20)))


def compared(by_device_and_artifact, engine="litert"):
    judgements = {
        (device, engine, name): judgement
        for (device, name), judgement in by_device_and_artifact.items()
    }
    return {
        (row.device, row.id): row.accuracy.difference
        for row in compared_rows(rows_of(judgements), judgements)
    }


def rows_of(judgements):
    return [
        replace(row(device, name, judgement), engine=engine)
        for (device, engine, name), judgement in judgements.items()
    ]


def test_rows_are_compared_with_the_original_on_any_device():
    found = compared(
        {
            ("ssh://pi", "tflite/int8"): WORSE,
            ("host", "original"): GOOD,
            ("host", "tflite/fp32"): GOOD,
        }
    )
    assert found["host", "original"] is None
    assert found["host", "tflite/fp32"].compared_with == "original"
    assert found["host", "tflite/fp32"].verdict == "same"
    assert found["ssh://pi", "tflite/int8"].compared_with == "original"
    assert found["ssh://pi", "tflite/int8"].verdict == "worse"
    assert found["ssh://pi", "tflite/int8"].value == pytest.approx(-0.05)


def test_without_the_original_rows_are_compared_with_fp32_of_their_format_and_device():
    found = compared(
        {
            ("host", "tflite/fp32"): GOOD,
            ("host", "tflite/int8"): WORSE,
            ("host", "onnx/int8"): WORSE,
            ("ssh://pi", "tflite/int8"): WORSE,
        }
    )
    assert found["host", "tflite/fp32"] is None
    assert found["host", "tflite/int8"].compared_with == "tflite/fp32"
    assert found["host", "onnx/int8"] is None
    assert found["ssh://pi", "tflite/int8"] is None


def test_an_artifact_is_compared_with_fp32_of_its_own_engine():
    judgements = {
        ("host", "litert", "tflite/fp32"): GOOD,
        ("host", "litert", "tflite/int8"): WORSE,
        ("host", "tflite-runtime", "tflite/fp32"): WORSE,
        ("host", "tflite-runtime", "tflite/int8"): WORSE,
    }
    rows = compared_rows(rows_of(judgements), judgements)
    found = {(row.engine, row.id): row.accuracy.difference for row in rows}
    assert found["litert", "tflite/int8"].verdict == "worse"
    assert found["tflite-runtime", "tflite/int8"].verdict == "same"


def test_rows_without_accuracy_stay_as_they_are():
    bare = replace(row("host", "tflite/int8", GOOD), accuracy=None)
    assert compared_rows([bare], {("host", "tensorflow", "original"): GOOD}) == [bare]


@pytest.mark.parametrize("judgement", [WORSE, judged(np.zeros(SAMPLES), np.ones((SAMPLES, 1)))])
def test_accuracy_with_its_differences_survives_json(judgement):
    accuracy = replace(
        judgement.accuracy, differences=differences(judgement, judgement, "original")
    )
    assert from_form(to_form(accuracy), Accuracy) == accuracy
