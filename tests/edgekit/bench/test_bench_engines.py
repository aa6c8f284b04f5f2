"""A bench with several engines of one format: each row has its own, and is compared within it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import small_artifacts
from plugins import example_installed

from edgekit.bench.request import BenchRequest, Evaluation
from edgekit.bench.run import run_bench
from edgekit.inspect.subject import Subject
from edgekit.results.plan import BenchPlan
from edgekit.results.results import Results, Row
from edgekit_runtimes.errors import UsageError
from edgekit_runtimes.protocol.job import Plan

ENGINES = ("litert", "litert-no-xnnpack")
GOLDEN, LABELLED = 8, 40
# Enough to go through every step; far too little to claim anything.
SHORT = BenchPlan("short", 2, Plan(warmup_s=0.0, block_s=0.01, rounds=2, min_runs=8))


@pytest.fixture(scope="module", autouse=True)
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The example plug-in, whose engine runs TFLite as LiteRT does, without XNNPACK."""
    with example_installed(tmp_path_factory.mktemp("plugin")):
        yield


@pytest.fixture(scope="module")
def request_for_both(tmp_path_factory: pytest.TempPathFactory) -> BenchRequest:
    """A request for four artifacts, one of them deadly, and for two engines of TFLite."""
    folder = tmp_path_factory.mktemp("engines")
    small_artifacts.write_tflite(folder / "fp32.tflite")
    small_artifacts.write_tflite(folder / "int8-dynamic.tflite", quantized=True)
    small_artifacts.write_tflite(folder / "int8.tflite", deadly=True)
    small_artifacts.write_onnx(folder / "fp32.onnx")
    np.save(folder / "golden.npy", small_artifacts.inputs(GOLDEN))
    labelled = small_artifacts.inputs(LABELLED)
    np.save(folder / "labelled.npy", labelled)
    return BenchRequest(
        bundle="small",
        subjects=[
            Subject(f"{path.suffix[1:]}/{path.stem}", path.suffix[1:], path.stem, path, 1)
            for path in sorted(folder.glob("*.*"))
            if path.suffix != ".npy"
        ],
        inputs={"x": str(folder / "golden.npy")},
        golden={"class": small_artifacts.answers(small_artifacts.inputs(GOLDEN))},
        evaluation=Evaluation(
            {"x": str(folder / "labelled.npy")},
            small_artifacts.answers(labelled).argmax(axis=1),
        ),
        plan=SHORT,
        engines=ENGINES,
    )


@pytest.fixture(scope="module")
def results(request_for_both: BenchRequest) -> Results:
    """One bench with both engines."""
    return run_bench(request_for_both)


def row(results: Results, engine: str, name: str) -> Row:
    return next(row for row in results.rows if (row.engine, row.id) == (engine, name))


def test_each_artifact_has_a_row_for_each_engine_asked_for(results: Results) -> None:
    names = ("tflite/fp32", "tflite/int8-dynamic", "tflite/int8")
    assert [(row.id, row.engine) for row in results.rows] == [
        (name, engine) for name in names for engine in ENGINES
    ]


@pytest.mark.parametrize("engine", ENGINES)
def test_an_artifact_is_compared_with_fp32_run_by_the_same_engine(
    results: Results, engine: str
) -> None:
    fp32, int8 = (row(results, engine, f"tflite/{name}") for name in ("fp32", "int8-dynamic"))
    assert fp32.ratio_to_fp32 is None
    assert int8.ratio_to_fp32 is not None
    beside = {block.samples for block in int8.reference_blocks}
    assert len(beside) == len(int8.reference_blocks) == len(int8.blocks) - 2
    assert int8.accuracy is not None
    assert int8.accuracy.difference is not None
    assert int8.accuracy.difference.compared_with == "tflite/fp32"
    assert int8.fidelity is not None


def test_each_row_was_really_run_by_its_engine(results: Results) -> None:
    delegated, plain = (row(results, engine, "tflite/fp32").execution for engine in ENGINES)
    assert delegated is not None
    assert plain is not None
    assert "DELEGATE" in delegated.ops
    assert "DELEGATE" not in plain.ops
    assert {*ENGINES} <= results.environments["host"]["engines"].keys()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_row_that_failed_has_its_engine_nevertheless(results: Results, engine: str) -> None:
    assert "SIGFPE" in str(row(results, engine, "tflite/int8").reason)


def test_without_a_word_an_artifact_is_run_by_the_engine_that_the_device_prefers(
    request_for_both: BenchRequest,
) -> None:
    fp32, *_ = request_for_both.subjects
    request = replace(request_for_both, subjects=[fp32], engines=(), evaluation=None)
    assert [row.engine for row in run_bench(request).rows] == ["onnxruntime"]


def test_an_engine_that_is_not_installed_is_a_row_with_the_line_that_installs_it(
    request_for_both: BenchRequest,
) -> None:
    subjects = [one for one in request_for_both.subjects if one.id == "tflite/fp32"]
    engines = ("litert", "tflite-runtime")
    request = replace(request_for_both, subjects=subjects, engines=engines, evaluation=None)
    litert, missing = run_bench(request).rows
    assert (litert.engine, litert.status) == ("litert", "ok")
    assert (missing.engine, missing.status) == ("tflite-runtime", "not available")
    assert missing.reason == (
        "tflite-runtime is not installed. Install it with: pip install tflite-runtime"
    )
    with pytest.raises(UsageError, match=r"no artifact is run by tflite-runtime \(--engine\)"):
        run_bench(replace(request, engines=("tflite-runtime",)))


def test_what_another_device_of_the_bench_has_is_not_missed_on_this_one(
    request_for_both: BenchRequest, old_python: Path
) -> None:
    subjects = [one for one in request_for_both.subjects if one.id == "tflite/fp32"]
    old = f"host:{old_python}"
    request = replace(
        request_for_both,
        subjects=subjects,
        evaluation=None,
        engines=("litert", "tflite-runtime"),
        devices=("host", old),
    )
    assert [(row.device, row.engine, row.status) for row in run_bench(request).rows] == [
        ("host", "litert", "ok"),
        (old, "tflite-runtime", "ok"),
    ]


@pytest.mark.board
@pytest.mark.slow
def test_litert_and_tflite_runtime_stand_in_one_table_of_one_board(
    request_for_both: BenchRequest,
) -> None:
    # tflite-runtime is older than the operators of the quantized artifacts.
    (fp32,) = (one for one in request_for_both.subjects if one.id == "tflite/fp32")
    pruned = replace(fp32, id="tflite/fp32+prune50", recipe="fp32+prune50")
    engines = ("litert", "tflite-runtime")
    request = replace(
        request_for_both,
        subjects=[fp32, pruned],
        evaluation=None,
        engines=engines,
        devices=("board:pi5",),
    )
    results = run_bench(request)
    assert [(row.id, row.engine, row.status) for row in results.rows] == [
        (one.id, engine, "ok") for one in (fp32, pruned) for engine in engines
    ]
    counts = {(row.id, row.engine): row.statistics.min for row in results.rows if row.statistics}
    for engine in engines:
        ratio = row(results, engine, pruned.id).ratio_to_fp32
        assert ratio is not None
        assert ratio.value == counts[pruned.id, engine] / counts[fp32.id, engine]
    assert counts[fp32.id, "litert"] != counts[fp32.id, "tflite-runtime"]
