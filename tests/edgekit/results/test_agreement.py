"""Agreement with the host: known answers, and which artifacts are asked here for it."""

import json
import math
import sys

import numpy as np
import pytest
import small_artifacts
from jobs import LITERT

from edgekit.bench.candidates import Candidate
from edgekit.bench.host_answers import HostAnswers
from edgekit.bench.request import BenchRequest
from edgekit.bench.run import run_bench
from edgekit.forms import encode, from_form
from edgekit.inspect.subject import Subject
from edgekit.results.agreement import Agreement, AgreementAccumulator
from edgekit.results.plan import COUNTING_SAMPLES, BenchPlan
from edgekit_runtimes.devices import EngineChoice
from edgekit_runtimes.errors import ArtifactError
from edgekit_runtimes.protocol.job import Plan

# Enough to go through every step; far too little to claim anything.
SHORT = BenchPlan("short", 1, Plan(warmup_s=0.0, block_s=0.0, rounds=1, min_runs=4))


def compare(host, device):
    accumulator = AgreementAccumulator({"y": np.asarray(host)})
    accumulator.add(0, {"y": np.asarray(device)})
    return accumulator.result()


def test_equal_outputs_are_exact():
    assert compare([[1.0, -2.0]], [[1.0, -2.0]]) == Agreement(1, 0.0, 0.0, exact=True)


def test_the_error_is_a_share_of_the_largest_magnitude_on_the_host():
    assert compare([[1.0, -8.0]], [[1.5, -8.0]]) == Agreement(1, 0.5, 0.0625, exact=False)


def test_the_smallest_difference_of_two_floats_is_not_exact():
    one = np.array([[1.0]], np.float32)
    found = compare(one, np.nextafter(one, np.float32(2)))
    assert (found.exact, found.max_relative_error) == (False, 2.0**-23)


def test_each_output_is_measured_by_its_own_magnitude():
    accumulator = AgreementAccumulator({"large": np.array([[1000.0]]), "small": np.array([[1.0]])})
    accumulator.add(0, {"large": np.array([[1001.0]]), "small": np.array([[1.5]])})
    assert accumulator.result() == Agreement(1, 1.0, 0.5, exact=False)


def test_integers_are_compared_as_numbers_that_cannot_overflow():
    low, high = np.array([[0]], np.uint8), np.array([[200]], np.uint8)
    assert compare(low, high).max_abs_error == compare(high, low).max_abs_error == 200


def test_pieces_give_the_same_as_the_whole_and_later_samples_are_passed_over():
    host = np.arange(8.0).reshape(4, 2)
    accumulator = AgreementAccumulator({"y": host})
    accumulator.add(0, {"y": host[:3]})
    accumulator.add(3, {"y": np.array([[6.0, 7.7], [99.0, 99.0]])})
    accumulator.add(5, {"y": np.array([[99.0, 99.0]])})
    found = accumulator.result()
    assert (found.samples, found.exact) == (4, False)
    assert (found.max_abs_error, found.max_relative_error) == pytest.approx((0.7, 0.1))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_agrees_with_nan_and_with_nothing_else(value):
    assert compare([[value, 1.0]], [[value, 1.0]]).exact
    apart = compare([[2.0, 1.0]], [[value, 1.0]])
    assert (apart.max_abs_error, apart.max_relative_error, apart.exact) == (
        math.inf,
        math.inf,
        False,
    )
    assert compare([[value, 1.0]], [[2.0, 1.0]]).max_relative_error == math.inf


def test_any_error_is_endless_beside_outputs_of_zero():
    assert compare([[0.0]], [[0.1]]).max_relative_error == math.inf
    assert compare([[0.0]], [[0.0]]).exact


def test_an_output_that_is_missing_or_of_another_shape_is_named():
    accumulator = AgreementAccumulator({"y": np.ones((1, 2))})
    with pytest.raises(ArtifactError, match="gives no output 'y'"):
        accumulator.add(0, {"z": np.ones((1, 2))})
    with pytest.raises(ArtifactError, match=r"'y' has shape \[3\] on the device and \[2\] on"):
        accumulator.add(0, {"y": np.ones((1, 3))})


def test_no_samples_cannot_be_compared():
    with pytest.raises(ValueError, match="no outputs to compare"):
        AgreementAccumulator({"y": np.ones((1, 2))}).result()


@pytest.mark.parametrize("error", [0.0, 0.5, np.nan])
def test_agreement_survives_strict_json(error):
    agreement = compare([[1.0, 2.0]], [[1.0, 2.0 + error]])
    text = encode(agreement)
    assert from_form(json.loads(text), Agreement) == agreement


@pytest.fixture(scope="module")
def request_for(tmp_path_factory):
    """Make a request for one small artifact; path: another file in its place."""
    folder = tmp_path_factory.mktemp("artifacts")
    small_artifacts.write_tflite(folder / "fp32.tflite")
    samples = small_artifacts.inputs(COUNTING_SAMPLES + 2)
    np.save(folder / "golden.npy", samples)

    def make(*devices, path=folder / "fp32.tflite", format="tflite"):  # noqa: A002
        return BenchRequest(
            bundle="small",
            subjects=[Subject(f"{format}/fp32", format, "fp32", path, 1)],
            inputs={"x": str(folder / "golden.npy")},
            golden={"class": small_artifacts.answers(samples)},
            devices=devices,
            plan=SHORT,
        )

    return make


@pytest.mark.parametrize("order", [1, -1], ids=["host first", "host last"])
def test_a_row_of_another_device_has_its_agreement_with_the_host(request_for, order):
    other = f"host:{sys.executable}"
    rows = run_bench(request_for(*("host", other)[::order])).rows
    found = {row.device: row.agreement_with_host for row in rows}
    assert found == {"host": None, other: Agreement(COUNTING_SAMPLES, 0.0, 0.0, exact=True)}


def test_what_the_host_said_in_its_own_check_is_not_asked_again(request_for, tmp_path):
    request = request_for(path=tmp_path / "nowhere.tflite")
    (subject,) = request.subjects
    candidate = Candidate(subject.id, subject, EngineChoice("litert", LITERT))
    answers = HostAnswers(request)
    check = answers.comparison(candidate, "host")
    for start in (0, COUNTING_SAMPLES - 1):
        check.add(start, {"class": np.ones((COUNTING_SAMPLES - 1, 10), np.float32)})
    comparison = answers.comparison(candidate, "board:pi5")
    comparison.add(0, {"class": np.ones((COUNTING_SAMPLES, 10), np.float32)})
    assert comparison.result() == Agreement(COUNTING_SAMPLES, 0.0, 0.0, exact=True)


@pytest.mark.parametrize("format", ["tflite", "tfjs"])
def test_what_the_host_cannot_run_is_compared_with_nothing(request_for, tmp_path, format):  # noqa: A002
    request = request_for(path=tmp_path / "nowhere", format=format)
    (subject,) = request.subjects
    candidate = Candidate(subject.id, subject, EngineChoice("an-engine", "an-engine"))
    comparison = HostAnswers(request).comparison(candidate, "browser:wasm")
    comparison.add(0, {"class": np.ones((1, 10), np.float32)})
    assert comparison.result() is None
