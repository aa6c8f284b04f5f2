"""A bench on this machine: real artifacts in real worker processes."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import small_artifacts

from edgekit.bench.progress import Progress
from edgekit.bench.request import BenchRequest, Evaluation
from edgekit.bench.run import run_bench
from edgekit.inspect.subject import Subject
from edgekit.results import results as results_module
from edgekit.results.plan import BenchPlan
from edgekit.results.results import Results, Row, load_results
from edgekit.results.statistics import compare, summarize
from edgekit.results.steadiness import steadiness
from edgekit_runtimes.errors import ArtifactError, DataError, UsageError
from edgekit_runtimes.protocol.job import JobModel, Plan

SCHEMA = Path(results_module.__file__).parent / "results.schema.json"
ONNX_ENGINE = "edgekit_runtimes.engines.onnxruntime"
GOLDEN, LABELLED = 8, 200
# Enough to go through every step; far too little to claim anything.
SHORT = BenchPlan("short", 2, Plan(warmup_s=0.0, block_s=0.01, rounds=2, min_runs=8))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with artifacts, good and deadly, and samples."""
    folder = tmp_path_factory.mktemp("bench")
    small_artifacts.write_tflite(folder / "fp32.tflite")
    small_artifacts.write_tflite(folder / "int8.tflite", quantized=True)
    small_artifacts.write_tflite(folder / "deadly.tflite", deadly=True)
    small_artifacts.write_onnx(folder / "fp32.onnx")
    small_artifacts.write_onnx(folder / "deadly.onnx", deadly=True)
    small_artifacts.write_tfjs(folder / "web")
    whole = (folder / "fp32.tflite").read_bytes()
    (folder / "truncated.tflite").write_bytes(whole[: len(whole) // 2])
    np.save(folder / "golden.npy", small_artifacts.inputs(GOLDEN))
    np.save(folder / "labelled.npy", small_artifacts.inputs(LABELLED))
    return folder


@pytest.fixture(scope="module")
def request_for(files: Path) -> Callable[..., BenchRequest]:
    """Make a request for {id: file name}."""

    def make(subjects: dict[str, str], **more: object) -> BenchRequest:
        return BenchRequest(
            bundle="small",
            subjects=[subject(name, files / file) for name, file in subjects.items()],
            inputs={"x": str(files / "golden.npy")},
            golden={"class": small_artifacts.answers(small_artifacts.inputs(GOLDEN))},
            plan=SHORT,
            **more,
        )

    return make


def subject(name: str, path: Path) -> Subject:
    form, recipe = name.split("/")
    size = path.stat().st_size
    return Subject(name, form, recipe, path, size, {"brotli": size - 1})


@pytest.fixture(scope="module")
def results(request_for: Callable[..., BenchRequest], files: Path) -> Results:
    """One bench with everything in it; onnxruntime replaces the original's framework."""
    samples = small_artifacts.inputs(LABELLED)
    request = request_for(
        {
            "tflite/fp32": "fp32.tflite",
            "tflite/int8-dynamic": "int8.tflite",
            "tflite/int8": "deadly.tflite",
            "tflite/fp16": "truncated.tflite",
            "onnx/fp32": "fp32.onnx",
            "onnx/fp32+prune50": "fp32.onnx",
            "onnx/int8": "deadly.onnx",
            "tfjs/fp32": "web",
            "tfjs/fp32+prune50": "web",
            "gguf/fp32": "fp32.onnx",
        },
        original=JobModel("original", ONNX_ENGINE, str(files / "fp32.onnx")),
        evaluation=Evaluation(
            {"x": str(files / "labelled.npy")}, small_artifacts.answers(samples).argmax(axis=1)
        ),
    )
    return run_bench(request)


def row(results: Results, name: str) -> Row:
    return next(row for row in results.rows if row.id == name)


def samples_by_process(blocks: tuple) -> list[list[tuple[int, ...]]]:
    processes = sorted({block.process for block in blocks})
    return [
        [block.samples for block in blocks if block.process == process and block.phase == "measure"]
        for process in processes
    ]


def test_rows_stand_in_the_order_of_the_request_behind_the_original(results):
    assert [row.id for row in results.rows] == [
        *("original", "tflite/fp32", "tflite/int8-dynamic", "tflite/int8", "tflite/fp16"),
        *("onnx/fp32", "onnx/fp32+prune50", "onnx/int8"),
        *("tfjs/fp32", "tfjs/fp32+prune50", "gguf/fp32"),
    ]
    assert {row.device for row in results.rows} == {"host"}


@pytest.mark.parametrize("name", ["tflite/int8", "onnx/int8"])
def test_an_artifact_that_kills_its_interpreter_is_one_error_row(results, name):
    dead = row(results, name)
    assert dead.status == "failed"
    assert dead.reason == "the interpreter died (signal 8, SIGFPE)"
    assert (dead.statistics, dead.fidelity, dead.blocks) == (None, None, ())
    assert results.failed


def test_a_truncated_artifact_is_an_error_row_with_the_engines_reason(results):
    truncated = row(results, "tflite/fp16")
    assert truncated.status == "failed"
    assert "truncated.tflite" in truncated.reason


def test_a_format_without_an_engine_here_is_not_available_and_no_failure(results):
    missing = row(results, "gguf/fp32")
    assert (missing.status, missing.engine) == ("not available", None)
    assert missing.reason == "no engine runs gguf"
    assert not replace(results, rows=(missing,)).failed


def test_what_works_is_measured_in_every_process(results):
    fine_names = ("tflite/fp32", "tflite/int8-dynamic", "onnx/fp32+prune50", "tfjs/fp32+prune50")
    for name in ("original", *fine_names):
        fine = row(results, name)
        assert fine.status == "ok"
        processes = samples_by_process(fine.blocks)
        assert [len(blocks) for blocks in processes] == [4, 4]
        flat = [sample for blocks in processes for block in blocks for sample in block]
        assert fine.statistics == summarize(flat)
        assert fine.statistics.runs >= 2 * SHORT.worker.min_runs
        assert any(block.phase == "warmup" for block in fine.blocks)


def test_a_ratio_is_that_of_the_raw_samples_measured_side_by_side(results):
    int8 = row(results, "tflite/int8-dynamic")
    assert int8.ratio_to_fp32 == compare(
        samples_by_process(int8.blocks), samples_by_process(int8.reference_blocks)
    )
    assert not int8.ratio_to_fp32.derived
    fp32 = row(results, "tflite/fp32")
    assert fp32.ratio_to_fp32 is None
    assert fp32.ratio_to_original == compare(
        samples_by_process(fp32.blocks), samples_by_process(row(results, "original").blocks)
    )


def test_all_three_formats_are_measured_in_one_bench_each_beside_its_own_fp32(results):
    for form, engine in (("tflite", "litert"), ("onnx", "onnxruntime"), ("tfjs", "tfjs")):
        fp32 = row(results, f"{form}/fp32")
        assert (fp32.status, fp32.engine) == ("ok", engine)
        assert fp32.fidelity.sqnr_db > 100
        assert fp32.accuracy.top1 == 1.0
    pruned = row(results, "tfjs/fp32+prune50")
    assert pruned.backend == "wasm"
    assert pruned.ratio_to_fp32 == compare(
        samples_by_process(pruned.blocks), samples_by_process(pruned.reference_blocks)
    )
    # The original runs in another process than Node.
    assert row(results, "tfjs/fp32").ratio_to_original is None


def test_the_ratio_to_the_original_is_measured_for_fp32_and_derived_for_others(results):
    fp32, int8 = row(results, "tflite/fp32"), row(results, "tflite/int8-dynamic")
    assert not fp32.ratio_to_original.derived
    assert int8.ratio_to_original.derived
    assert int8.ratio_to_original.value == pytest.approx(
        int8.ratio_to_fp32.value * fp32.ratio_to_original.value
    )
    assert row(results, "original").ratio_to_original is None


def test_the_smaller_artifact_says_what_it_lost(results):
    fp32, int8 = row(results, "tflite/fp32"), row(results, "tflite/int8-dynamic")
    assert int8.bytes < 0.35 * fp32.bytes
    assert fp32.fidelity.sqnr_db > 100
    assert 30 < int8.fidelity.sqnr_db < 60
    assert fp32.fidelity.outputs["class"].samples == GOLDEN
    assert fp32.accuracy.top1 == row(results, "original").accuracy.top1 == 1.0
    assert int8.accuracy.samples == LABELLED
    assert 0.95 <= int8.accuracy.top1 < 1.0


def test_accuracy_is_compared_with_the_originals_on_the_same_samples(results):
    fp32, int8 = row(results, "tflite/fp32"), row(results, "tflite/int8-dynamic")
    assert row(results, "original").accuracy.difference is None
    assert fp32.accuracy.difference.compared_with == "original"
    assert (fp32.accuracy.difference.value, fp32.accuracy.difference.p) == (0, 1)
    lost = int8.accuracy.difference
    # The labels are the original's own answers, so that none can be right in int8 only.
    assert (lost.only_here, lost.only_there) == (0, LABELLED - int8.accuracy.correct)
    assert lost.value == pytest.approx(int8.accuracy.top1 - 1)
    assert lost.low < lost.value < lost.high


def test_steadiness_is_that_of_the_measured_blocks(results):
    for name in ("original", "tflite/fp32", "tflite/int8-dynamic"):
        fine = row(results, name)
        assert fine.steadiness == steadiness(samples_by_process(fine.blocks))
        assert fine.steadiness.trend is not None
    assert row(results, "tflite/int8").steadiness is None


def test_loading_and_the_first_run_are_taken_where_a_model_is_alone(results):
    # The check and the evaluation; the timing processes hold other models too.
    for name in ("original", "onnx/fp32", "tflite/int8-dynamic"):
        alone = row(results, name)
        assert len(alone.load_ns) == len(alone.first_run_ns) == 2
        assert min(alone.load_ns + alone.first_run_ns) > 0


def test_the_environment_and_the_engines_are_part_of_the_results(results):
    environment = results.environments["host"]
    assert environment["logical_cores"] >= 1
    assert set(environment["engines"]) == {"litert", "onnxruntime", "tfjs"}
    assert row(results, "tflite/fp32").engine == "litert"


def test_results_fit_the_schema_and_survive_strict_json(results, tmp_path):
    text = json.dumps(results.to_json(), allow_nan=False)
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator(schema).validate(json.loads(text))
    path = tmp_path / "results.json"
    path.write_text(text)
    assert load_results(path) == results


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda text: text[: len(text) // 2],
            "is not a results file, or was cut off. Bench again.",
        ),
        (lambda text: "[]", "is not a results file"),
        (lambda text: text.replace('"schema": 2', '"schema": 9'), "has results schema 9 and this"),
        (
            lambda text: text.replace('"format"', '"form"'),
            "is damaged: object missing required field `format` at rows[0]",
        ),
    ],
)
def test_a_damaged_results_file_is_reported_with_its_name(results, tmp_path, change, message):
    path = tmp_path / "results.json"
    path.write_text(change(json.dumps(results.to_json())))
    with pytest.raises(ArtifactError) as caught:
        load_results(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)


def test_a_missing_results_file_is_reported_with_its_name(tmp_path):
    with pytest.raises(ArtifactError, match=r"none\.json cannot be read: No such file"):
        load_results(tmp_path / "none.json")


def test_without_fp32_an_artifact_is_measured_alone_and_says_why(request_for):
    progress: list[Progress] = []
    results = run_bench(request_for({"tflite/int8-dynamic": "int8.tflite"}), progress.append)
    (alone,) = results.rows
    assert alone.statistics.runs > 0
    assert alone.ratio_to_fp32 is None
    assert alone.ratio_reason == "there is no tflite/fp32 to compare with"
    assert alone.accuracy is None
    assert not results.failed
    assert [(step.done, step.total) for step in progress] == [(0, 3), (1, 3), (2, 3)]
    assert progress[0].text == "checking tflite/int8-dynamic"


def test_where_fp32_fails_the_others_are_measured_without_a_ratio(request_for):
    results = run_bench(
        request_for({"tflite/fp32": "deadly.tflite", "tflite/int8-dynamic": "int8.tflite"})
    )
    int8 = row(results, "tflite/int8-dynamic")
    assert int8.statistics is not None
    assert int8.ratio_reason == "tflite/fp32 failed, so there is nothing to compare with"
    assert results.failed


def test_an_artifact_with_other_outputs_than_the_original_is_an_error_row(request_for):
    request = request_for({"onnx/fp32": "fp32.onnx", "tflite/fp32": "fp32.tflite"})
    results = run_bench(replace(request, golden={"score": request.golden["class"]}))
    assert [row.reason for row in results.rows] == [
        "the artifact has no output 'score'; it has class"
    ] * 2


def test_an_original_that_dies_while_it_is_timed_takes_no_artifact_with_it(
    request_for, files, tmp_path, monkeypatch
):
    monkeypatch.setenv("PYTHONPATH", str(Path(small_artifacts.__file__).parent))
    path = small_artifacts.write_doubling_onnx(tmp_path / "fp32.onnx")
    (tmp_path / "model.json").write_text(json.dumps({"does": "die late", "runs": GOLDEN + 5}))
    x = np.arange(GOLDEN * 3, dtype=np.float32).reshape(GOLDEN, 3)
    np.save(tmp_path / "x.npy", x)
    request = BenchRequest(
        bundle="small",
        subjects=[subject("onnx/fp32", path), subject("onnx/copy", path)],
        inputs={"x": str(tmp_path / "x.npy")},
        golden={"y": 2 * x},
        original=JobModel("original", "numpy_engine", str(tmp_path / "model.json")),
        plan=SHORT,
    )
    original, fp32, copy = run_bench(request).rows
    assert original.status == "failed"
    assert original.reason == "the interpreter died (signal 11, SIGSEGV)"
    assert original.statistics is None
    assert original.fidelity is not None
    assert fp32.statistics is not None
    assert copy.ratio_to_fp32 is not None
    assert fp32.ratio_to_original is None
    assert copy.ratio_to_original is None


def test_wrong_words_and_labels_are_refused_before_anything_is_measured(request_for, files):
    request = request_for({"tflite/fp32": "fp32.tflite"})

    def refuse(progress: Progress) -> None:
        raise AssertionError("a job was started")

    with pytest.raises(UsageError, match="Did you mean 'host'"):
        run_bench(replace(request, devices=("host", "hots")), refuse)
    evaluation = Evaluation({"x": str(files / "labelled.npy")}, np.zeros(7, np.int64))
    with pytest.raises(DataError, match="7 labels for 200 samples"):
        run_bench(replace(request, evaluation=evaluation), refuse)
    with pytest.raises(UsageError, match="no artifact to measure"):
        run_bench(replace(request, subjects=[]), refuse)
