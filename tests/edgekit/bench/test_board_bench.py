"""A bench on emulated boards: counts that repeat, ratios of counts, and rows for what fails."""

from __future__ import annotations

import json
from contextlib import redirect_stdout
from dataclasses import replace

import jsonschema
import pytest
from conftest import DIGITS, ROOT

from edgekit.bench.request import bench_request
from edgekit.bench.run import run_bench
from edgekit.bundle.bundle import load_bundle
from edgekit.cli import run_command_line
from edgekit.forms import from_form
from edgekit.results.agreement import Agreement
from edgekit.results.results import Results, load_results

pytestmark = [pytest.mark.board, pytest.mark.slow]

BOARDS = ("pi3", "pi4", "pi5")
COUNTED = ("tflite/fp32", "tflite/int8", "onnx/fp32", "onnx/int8")
REPEATED = ("tflite/fp32", "tflite/int8", "onnx/int8")
DAMAGED = "tflite/fp16"
# A repeated count may differ by this share, and no more.
REPEATABLE = 1e-3
# Float kernels add in another order than the host's; 3e-7 was seen.
FLOAT = 1e-5


def bench(bundle, target, *devices) -> Results:
    """Bench through the command line, so that the JSON is what users get."""
    words = ["bench", str(bundle), "--json"]
    with target.open("w") as file, redirect_stdout(file):
        run_command_line([*words, *(word for device in devices for word in ("--on", device))])
    return load_results(target)


@pytest.fixture(scope="module")
def digits(digits_with):
    return digits_with([*COUNTED, "tfjs/fp32", "tfjs/int8"])


@pytest.fixture(scope="module")
def counted(digits, tmp_path_factory):
    """Digits on all boards."""
    target = tmp_path_factory.mktemp("results") / "results.json"
    return bench(digits, target, *(f"board:{name}" for name in BOARDS))


def row(results, board, name):
    return next(r for r in results.rows if (r.device, r.id) == (f"board:{board}", name))


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("name", COUNTED)
def test_each_artifact_has_five_counted_runs_and_a_first_run_of_its_own(counted, board, name):
    found = row(counted, board, name)
    assert (found.status, found.unit) == ("ok", "instructions")
    assert found.statistics.runs == 5
    assert [block.phase for block in found.blocks] == ["warmup", "measure"]
    assert [len(block.samples) for block in found.blocks] == [1, 5]
    assert len(found.load_ns) == len(found.first_run_ns) == 1
    assert found.fidelity.samples == 8
    assert found.fidelity.top1 == 1


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("format", ["tflite", "onnx"])
def test_static_int8_is_exact_against_the_host_and_floats_nearly_so(counted, board, format):  # noqa: A002
    int8 = row(counted, board, f"{format}/int8").agreement_with_host
    fp32 = row(counted, board, f"{format}/fp32").agreement_with_host
    assert int8 == Agreement(samples=8, max_abs_error=0, max_relative_error=0, exact=True)
    assert fp32.samples == 8
    assert fp32.max_relative_error < FLOAT


@pytest.mark.parametrize("board", BOARDS)
def test_the_ratio_of_counts_lies_between_its_extremes(counted, board):
    found, reference = row(counted, board, "tflite/int8"), row(counted, board, "tflite/fp32")
    ratio = found.ratio_to_fp32
    assert ratio.counted
    assert ratio.value == found.statistics.min / reference.statistics.min
    assert ratio.low <= ratio.value <= ratio.high
    assert ratio.high / ratio.low < 1.05
    assert reference.ratio_to_fp32 is None


def test_int8_has_fewer_instructions_where_there_is_a_dot_product(counted):
    ratios = {board: row(counted, board, "tflite/int8").ratio_to_fp32 for board in BOARDS}
    assert ratios["pi5"].value < 0.6 * ratios["pi4"].value
    assert ratios["pi5"].verdict == "fewer"


def test_a_tfjs_artifact_is_sent_to_devices_that_run_it(counted):
    found = row(counted, "pi5", "tfjs/fp32")
    assert found.status == "not available"
    assert found.reason.startswith("needs host, node, browser:")


def test_the_results_fit_their_schema_and_name_the_emulated_processor(counted):
    schema = json.loads((ROOT / "edgekit" / "results" / "results.schema.json").read_text())
    jsonschema.validate(counted.to_json(), schema)
    assert from_form(counted.to_json(), Results) == counted
    environment = counted.environments["board:pi3"]
    assert environment["cpu"].startswith("Cortex-A53 of a Raspberry Pi 3, emulated by QEMU ")
    assert environment["unit"] == "instructions"


@pytest.fixture(scope="module")
def again(digits_with, tmp_path_factory):
    """Some of digits again on one board, beside a damaged artifact, with a labelled set."""
    folder = tmp_path_factory.mktemp("again")
    damaged = folder / "fp16.tflite"
    digits = digits_with([*REPEATED, DAMAGED])
    damaged.write_bytes((digits / "tflite" / "fp16.tflite").read_bytes()[:1000])
    labelled = str(DIGITS / "digits.npz")
    request = bench_request(load_bundle(digits), folder, ("board:pi5",), data=labelled)
    subjects = [
        replace(subject, path=damaged) if subject.id == DAMAGED else subject
        for subject in request.subjects
    ]
    return run_bench(replace(request, subjects=subjects))


@pytest.mark.parametrize("name", REPEATED)
def test_digits_is_counted_the_same_twice(counted, again, name):
    first, second = (row(found, "pi5", name).statistics for found in (counted, again))
    assert second.min == pytest.approx(first.min, rel=REPEATABLE)


def test_a_damaged_artifact_is_an_error_row_and_the_others_are_counted_without_accuracy(again):
    damaged = row(again, "pi5", DAMAGED)
    assert damaged.status == "failed"
    assert "fp16.tflite" in damaged.reason
    assert damaged.accuracy_reason is None
    for found in (row(again, "pi5", name) for name in REPEATED):
        assert found.status == "ok"
        assert found.accuracy is None
        assert found.accuracy_reason.startswith("a labelled set would take")
