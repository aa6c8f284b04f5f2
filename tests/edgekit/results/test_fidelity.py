"""Fidelity beside known answers."""

import json
import math

import numpy as np
import pytest

from edgekit.forms import encode, from_form
from edgekit.results.fidelity import Fidelity, FidelityAccumulator, OutputFidelity
from edgekit_runtimes.errors import ArtifactError


def judge(original, artifact, pieces=1):
    accumulator = FidelityAccumulator({"y": original})
    for start in range(0, len(original), -(-len(original) // pieces)):
        accumulator.add(start, {"y": artifact[start : start + -(-len(original) // pieces)]})
    return accumulator.result()


def test_equal_outputs_agree_in_everything():
    y = np.array([[1.0, 2.0], [4.0, 3.0]], np.float32)
    fidelity = judge(y, y.copy())
    assert (fidelity.top1, fidelity.cosine, fidelity.max_abs_error) == (1.0, 1.0, 0.0)
    assert fidelity.sqnr_db == math.inf
    assert fidelity.outputs["y"].samples == 2


def test_sqnr_is_the_power_of_the_signal_over_the_power_of_the_error():
    y = np.full((4, 10), 10.0, np.float32)
    assert judge(y, y + 1).sqnr_db == pytest.approx(20.0)
    assert judge(y, y + 0.1).sqnr_db == pytest.approx(40.0, abs=1e-4)
    assert judge(y, y + 1).max_abs_error == pytest.approx(1.0)


def test_cosine_does_not_see_a_scale_and_sees_a_turn():
    y = np.array([[1.0, 0.0]])
    assert judge(y, 3 * y).cosine == pytest.approx(1.0)
    assert judge(y, np.array([[1.0, 1.0]])).cosine == pytest.approx(math.sqrt(0.5))
    assert judge(y, -y).cosine == pytest.approx(-1.0)


def test_top1_is_the_share_of_samples_with_the_same_first_class():
    original = np.array([[0.1, 0.9], [0.8, 0.2], [0.6, 0.4], [0.3, 0.7]])
    artifact = np.array([[0.4, 0.6], [0.4, 0.6], [0.9, 0.1], [0.1, 0.9]])
    assert judge(original, artifact).top1 == 0.75


def test_top1_of_a_map_counts_every_position():
    original = np.zeros((1, 2, 2, 3))
    original[..., 2] = 1
    artifact = original.copy()
    artifact[0, 0, 0] = [1, 0, 0]
    assert judge(original, artifact).top1 == 0.75


@pytest.mark.parametrize(
    "original", [np.ones((3, 1)), np.ones(3), np.array([[1, 2], [3, 4]])], ids=str
)
def test_an_output_without_class_scores_has_no_top1(original):
    assert judge(original, original).top1 is None


def test_pieces_give_the_same_as_the_whole():
    generator = np.random.default_rng(0)
    original = generator.standard_normal((10, 5))
    artifact = original + 0.1 * generator.standard_normal((10, 5))
    whole, pieces = judge(original, artifact), judge(original, artifact, pieces=4)
    assert pieces.outputs["y"].samples == 10
    assert pieces.top1 == whole.top1
    assert pieces.sqnr_db == pytest.approx(whole.sqnr_db)
    assert pieces.cosine == pytest.approx(whole.cosine)


def test_the_summary_is_the_worst_of_the_outputs():
    good, bad = np.array([[1.0, 2.0]]), np.array([[2.0, 1.0]])
    accumulator = FidelityAccumulator({"a": good, "b": good, "number": np.array([[5.0]])})
    accumulator.add(0, {"a": good, "b": bad, "number": np.array([[5.5]])})
    fidelity = accumulator.result()
    assert fidelity.top1 == 0.0
    assert fidelity.cosine == fidelity.outputs["b"].cosine
    assert fidelity.max_abs_error == 1.0
    assert fidelity.outputs["a"].top1 == 1.0
    assert fidelity.outputs["number"].top1 is None


def test_nan_is_counted_and_meets_no_budget():
    original = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])
    artifact = np.array([[1.0, 2.0, 3.0], [np.nan, 2.0, np.inf]])
    fidelity = judge(original, artifact)
    assert fidelity.nan == 2
    assert fidelity.top1 == 0.5
    assert (fidelity.cosine, fidelity.sqnr_db) == (0.0, -math.inf)
    assert fidelity.max_abs_error == math.inf


def test_nan_of_the_original_itself_is_left_out_and_counted():
    original = np.array([[1.0, np.nan], [1.0, 2.0]])
    fidelity = judge(original, np.array([[1.0, 7.0], [1.0, 2.0]]))
    assert (fidelity.nan, fidelity.outputs["y"].original_nan) == (0, 1)
    assert fidelity.sqnr_db == math.inf


def test_outputs_of_zero_agree_with_each_other_and_with_nothing_else():
    zero = np.zeros((2, 3))
    assert judge(zero, zero).cosine == 1.0
    assert judge(zero, zero + 1).cosine == 0.0
    assert judge(zero, zero + 1).sqnr_db == -math.inf
    assert judge(zero + 1, zero).cosine == 0.0


def test_a_missing_output_is_named():
    accumulator = FidelityAccumulator({"class": np.ones((1, 2))})
    with pytest.raises(ArtifactError, match=r"no output 'class'; it has Identity, box$"):
        accumulator.add(0, {"Identity": np.ones((1, 2)), "box": np.ones((1, 4))})


def test_another_shape_is_named_with_both_shapes():
    with pytest.raises(ArtifactError, match=r"'y' has shape \[1, 3\] and .* \[1, 2\]"):
        judge(np.ones((1, 2)), np.ones((1, 3)))


def test_no_samples_cannot_be_judged():
    with pytest.raises(ValueError, match="no outputs of 'y'"):
        FidelityAccumulator({"y": np.ones((1, 2))}).result()


@pytest.mark.parametrize("shift", [0.0, 0.5, np.nan])
def test_fidelity_survives_strict_json(shift):
    y = np.array([[1.0, 2.0], [4.0, 3.0]])
    fidelity = judge(y, y + shift)
    text = encode(fidelity)
    assert from_form(json.loads(text), Fidelity) == fidelity
    assert json.loads(text)["worst"]["top1"] == fidelity.top1


def test_the_5th_percentile_of_the_samples_shows_what_a_few_of_them_lose():
    original = np.ones((40, 4))
    found = original + 0.001
    found[[7, 30]] = 0.0
    fidelity = judge(original, found, pieces=3)
    assert fidelity.sqnr_p5_db == 0.0
    assert fidelity.sqnr_db == pytest.approx(13.0, abs=0.1)
    found[30] = original[30] + 0.001
    assert judge(original, found).sqnr_p5_db == pytest.approx(60)


def test_a_fidelity_without_the_5th_percentile_is_an_older_one():
    older = Fidelity({"y": OutputFidelity(8, 1.0, 1.0, 30.0, 0.1)})
    assert older.sqnr_p5_db is None
