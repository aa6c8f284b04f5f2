"""Accuracy in a bench: real artifacts, judged by labels or by the user's own function."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import small_artifacts
from conftest import Answer
from ssh_server import spec

from edgekit.bench.accuracy.metric import Metric
from edgekit.bench.progress import Progress
from edgekit.bench.request import BenchRequest, Evaluation, bench_request
from edgekit.bench.run import run_bench
from edgekit.bundle.bundle import load_bundle
from edgekit.inspect.subject import Subject
from edgekit.results.plan import BenchPlan
from edgekit_runtimes.errors import DataError
from edgekit_runtimes.protocol.job import JobModel, Plan

SAMPLES = 60
ONNX_ENGINE = "edgekit_runtimes.engines.onnxruntime"
# Enough to go through every step; far too little to claim anything.
SHORT = BenchPlan("short", 1, Plan(warmup_s=0.0, block_s=0.0, rounds=1, min_runs=2))

RECIPES = "fp32,int8-weights"

JUDGES = """
import numpy as np

def age_error(outputs, labels):
    return np.abs(outputs[:, 0] - labels)

def broken(outputs, labels):
    raise ZeroDivisionError("no box at all")
"""


@pytest.fixture
def bundle(bundles: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle with two outputs; beside it labelled samples and a module of metrics.

    It is a copy that has lost its source: TensorFlow would take most of the time.
    """
    folder = tmp_path / "net.edgekit"
    shutil.copytree(bundles("two_in_two_out", "--to", "tflite", "--recipe", RECIPES), folder)
    manifest = json.loads((folder / "edgekit.json").read_text())
    manifest["source"]["path"] = "lost.keras"
    (folder / "edgekit.json").write_text(json.dumps(manifest))
    generator = np.random.default_rng(3)
    image = generator.standard_normal((SAMPLES, 16, 16, 3)).astype(np.float32)
    meta = generator.standard_normal((SAMPLES, 5)).astype(np.float32)
    age = generator.standard_normal(SAMPLES)
    np.savez(tmp_path / "data.npz", image=image, meta=meta, y=age)
    (tmp_path / "my_judges.py").write_text(JUDGES)
    monkeypatch.chdir(tmp_path)
    return folder


def short_bench(bundle: Path, **options: str | None) -> list:
    request = bench_request(load_bundle(bundle), Path("work"), data="data.npz", **options)
    return list(run_bench(dataclasses.replace(request, plan=SHORT)).rows)


def test_the_labels_are_about_the_output_that_was_named(bundle):
    fp32, small = short_bench(bundle, labels_of="age")
    assert fp32.accuracy.output == "age"
    assert fp32.accuracy.low < fp32.accuracy.mae < fp32.accuracy.high
    assert fp32.accuracy.differences == {}
    assert list(small.accuracy.differences) == ["mae", "rmse"]
    assert small.accuracy.difference.compared_with == "tflite/fp32"
    assert small.accuracy.difference.value == pytest.approx(small.accuracy.mae - fp32.accuracy.mae)


def test_a_metric_of_the_users_own_judges_in_the_place_of_ours(bundle):
    (_, by_mae), (_, by_metric) = (
        short_bench(bundle, labels_of="age", metric=metric)
        for metric in (None, "my_judges:age_error")
    )
    assert by_metric.accuracy.metric == "my_judges:age_error"
    assert by_metric.accuracy.value == pytest.approx(by_mae.accuracy.mae)
    assert by_metric.accuracy.low == pytest.approx(by_mae.accuracy.low)
    assert not by_metric.accuracy.difference.higher_is_better


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--data", "data.npz"],
            "The model has 2 outputs (zone, age). Say which one the labels are about with "
            "--labels-of.",
        ),
        (["--data", "data.npz", "--labels-of", "aeg"], "Unknown output 'aeg'. Did you mean 'age'?"),
        (["--labels-of", "age"], "--labels-of is about labelled samples: give them with --data."),
        (["--metric", "my_judges:broken"], "--metric is about labelled samples: give them with"),
        (
            ["--data", "data.npz", "--labels-of", "age", "--metric", "my_judges:broken"],
            "my_judges:broken failed: ZeroDivisionError: no box at all",
        ),
        (
            ["--data", "data.npz", "--metric", "my_judges"],
            "--metric my_judges is not understood. Write it as module:function.",
        ),
    ],
)
def test_what_cannot_be_judged_ends_the_bench_before_any_work(refused, bundle, words, message):
    said, exit_code = refused("bench", bundle, *words)
    assert said.startswith(message)
    assert exit_code == 2


def test_the_command_prints_what_was_lost(
    cli: Callable[..., Answer], bundle: Path, short_plan: None
) -> None:
    data = str(Path("data.npz").resolve())
    words = ["--data", data, "--labels-of", "age", "--metric", "my_judges:age_error"]
    answer = cli("bench", bundle, *words, "--quick", "--wide")
    assert answer.exit_code == 0, answer.err
    assert "age_error" in answer.out
    assert "vs fp32" in answer.out


# --- Without a bundle ---------------------------------------------------------------------------


@pytest.fixture
def request_of_one(tmp_path: Path) -> Callable[..., BenchRequest]:
    """Make a request for one ONNX artifact with labelled samples."""

    def make(metric: Metric | None = None, count: int = SAMPLES) -> BenchRequest:
        path = small_artifacts.write_onnx(tmp_path / "fp32.onnx")
        samples = small_artifacts.inputs(count)
        np.save(tmp_path / "x.npy", samples)
        labels = small_artifacts.answers(samples).argmax(axis=1)
        return BenchRequest(
            bundle="small",
            subjects=[Subject("onnx/fp32", "onnx", "fp32", path, 1)],
            inputs={"x": str(tmp_path / "x.npy")},
            golden={"class": small_artifacts.answers(samples[:8])},
            evaluation=Evaluation({"x": str(tmp_path / "x.npy")}, labels, metric=metric),
            plan=SHORT,
        )

    return make


def test_a_metric_that_fails_on_real_outputs_is_that_rows_error(request_of_one):
    def only_golden(outputs, labels):
        if np.ptp(outputs) > 0 and not np.array_equal(outputs[0], outputs[8]):
            raise ValueError("these are new")
        return 1.0

    (row,) = run_bench(request_of_one(Metric("judges:only_golden", only_golden))).rows
    assert row.status == "failed"
    assert row.reason == "judges:only_golden failed: ValueError: these are new"
    assert row.accuracy is None


def test_a_long_evaluation_says_how_far_it_is_and_how_long_it_takes_yet(
    request_of_one, tmp_path, monkeypatch
):
    monkeypatch.setenv("PYTHONPATH", str(Path(small_artifacts.__file__).parent))
    (tmp_path / "model.json").write_text(json.dumps({"does": "wide", "times": 50_000}))
    np.save(tmp_path / "narrow.npy", np.ones((8, 3), np.float32))
    request = request_of_one()
    inputs = {"x": str(tmp_path / "narrow.npy")}
    wide = np.repeat(2 * np.ones((8, 3), np.float32), 50_000, axis=1)
    request = dataclasses.replace(
        request,
        inputs=inputs,
        golden={"y": wide},
        original=JobModel("original", "numpy_engine", str(tmp_path / "model.json")),
        evaluation=Evaluation(inputs, np.zeros((8, 150_000), np.float32)),
    )
    steps: list[Progress] = []
    rows = run_bench(request, steps.append).rows
    texts = [step.text for step in steps]
    # Each piece holds the outputs of two samples: over a megabyte.
    assert "evaluating original, 2 of 8 samples" in texts
    assert "evaluating original, 6 of 8 samples" in texts
    assert all(step.left_s >= 0 for step in steps)
    assert rows[0].accuracy.mae == pytest.approx(2)


def test_outputs_that_do_not_come_are_not_wrong_answers(request_of_one):
    request = request_of_one()
    few = {"x": request.evaluation.inputs["x"]}
    samples = np.load(few["x"])

    def cut_off(step: Progress) -> None:
        if step.text == "evaluating onnx/fp32":
            np.save(few["x"], samples[: SAMPLES // 2])

    (row,) = run_bench(request, cut_off).rows
    assert row.status == "failed"
    assert row.reason == "outputs of 30 samples came, and 60 were asked for"


def test_on_another_device_accuracy_is_compared_with_the_original_here(ssh_server, request_of_one):
    request = request_of_one()
    original = JobModel("original", ONNX_ENGINE, str(request.subjects[0].path))
    devices = (spec(), "host")
    there, *here = run_bench(dataclasses.replace(request, original=original, devices=devices)).rows
    assert [row.id for row in here] == ["original", "onnx/fp32"]
    for row in (there, here[1]):
        assert row.accuracy.top1 == 1
        assert row.accuracy.difference.compared_with == "original"
        assert row.accuracy.difference.verdict == "same"


def test_labels_of_the_wrong_length_are_refused(request_of_one):
    request = request_of_one()
    short = dataclasses.replace(request.evaluation, labels=request.evaluation.labels[:7])
    with pytest.raises(DataError, match="7 labels for 60 samples"):
        run_bench(dataclasses.replace(request, evaluation=short))
