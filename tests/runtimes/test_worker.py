"""The worker: what it does with a job and which events it writes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import int8_samples
from jobs import (
    LITERT,
    NUMPY,
    check_events,
    of_kind,
    outputs_of,
    run_job,
    save_inputs,
    write_numpy_model,
)

from edgekit_runtimes import worker
from edgekit_runtimes.devices import Device, open_device
from edgekit_runtimes.protocol.job import Event, Job, JobModel, Plan
from edgekit_runtimes.tensors import Preprocessing

X = np.arange(12, dtype=np.float32).reshape(4, 3) + 1

# Short, and still more than one run a block, two rounds and a warm-up.
QUICK = Plan(warmup_runs=3, warmup_s=0.0, block_s=0.0, rounds=2, min_runs=10)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Device]:
    """This machine, with numpy_engine on the worker's path."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent))
    with open_device("host") as device:
        yield device


@pytest.fixture
def numpy_model(tmp_path: Path) -> Callable[..., JobModel]:
    """Make a model of numpy_engine, named as what it does."""

    def make(does: str, **arguments: Any) -> JobModel:
        path = write_numpy_model(tmp_path / f"{does}.json", does, **arguments)
        return JobModel(does, NUMPY, path)

    return make


def blocks(events: list[Event], phase: str) -> list[Event]:
    return [event for event in of_kind(events, "block") if event["phase"] == phase]


def test_a_job_is_answered_in_the_order_of_the_protocol(
    host: Device, numpy_model: Callable[..., JobModel], tmp_path: Path
) -> None:
    models = (numpy_model("a"), numpy_model("b"))
    job = Job(models, save_inputs(tmp_path, x=X), plan=QUICK, outputs=-1)
    kinds = [event["event"] for event in run_job(host, job) if event["event"] != "running"]
    assert kinds == [
        "environment",
        *["loading", "loaded", "first_run"] * 2,
        *["outputs"] * 2,
        *["block"] * 2,
        *["block"] * 8,
        "done",
    ]


def test_a_job_without_inputs_only_loads(
    host: Device, numpy_model: Callable[..., JobModel]
) -> None:
    events = run_job(host, Job((numpy_model("A"),), {}, plan=QUICK, outputs=-1))
    kinds = [event["event"] for event in events]
    assert kinds == ["environment", "loading", "loaded", "done"]


def test_loaded_tells_the_engine_and_the_signature(
    host: Device, tflite_files: Callable[..., Path], tmp_path: Path
) -> None:
    model = JobModel("tflite/int8", LITERT, str(tflite_files("conv_net", int8=True)))
    events = run_job(host, Job((model,), save_inputs(tmp_path, image=int8_samples())))
    (loaded,) = of_kind(events, "loaded")
    assert loaded["model"] == "tflite/int8"
    assert loaded["engine"] == "litert"
    assert loaded["engine_version"][0].isdigit()
    assert loaded["ns"] > 0
    assert loaded["inputs"][0]["shape"] == [None, 28, 28, 1]
    assert loaded["inputs"][0]["quantization"]["zero_point"] == -128
    assert of_kind(events, "first_run")[0]["ns"] > 0
    assert of_kind(events, "done")[0]["peak_memory_bytes"] > 10_000_000


def test_without_inputs_models_are_loaded_and_not_run(
    host: Device, numpy_model: Callable[..., JobModel]
) -> None:
    models = (numpy_model("raise"), numpy_model("a"))
    events = run_job(host, Job(models, inputs={}, plan=QUICK, outputs=-1))
    kinds = [event["event"] for event in events]
    assert kinds == ["environment", *["loading", "loaded"] * 2, "done"]
    assert events[2]["inputs"] == [{"name": "x", "shape": [None, 3], "dtype": "float32"}]


def test_three_models_are_measured_in_palindromic_order(
    host: Device, numpy_model: Callable[..., JobModel], tmp_path: Path
) -> None:
    models = tuple(numpy_model(name) for name in "ABC")
    events = run_job(host, Job(models, save_inputs(tmp_path, x=X), plan=QUICK))
    measured = [(event["model"], event["round"]) for event in blocks(events, "measure")]
    assert measured == [(name, number) for number in (0, 1) for name in "ABCCBA"]
    assert [event["model"] for event in blocks(events, "warmup")] == ["A", "B", "C"]


def test_a_round_is_reported_when_it_is_over_and_who_runs_where_another_was_named_last(
    host: Device, numpy_model: Callable[..., JobModel], tmp_path: Path
) -> None:
    models = (numpy_model("A"), numpy_model("B"))
    events = run_job(host, Job(models, save_inputs(tmp_path, x=X), plan=QUICK))
    first = next(n for n, event in enumerate(events) if event.get("phase") == "measure")
    told = [f"{event['event']} {event.get('model')}" for event in events[first - 3 :]]
    a_round = ["block A", "block B", "block B", "block A"]
    assert told == [
        *("running A", "running B", "running A", *a_round),
        *("running B", "running A", *a_round),
        *("running B", "done None"),
    ]


def test_each_model_has_the_runs_of_the_plan_evenly_over_its_blocks(
    host: Device, numpy_model: Callable[..., JobModel], tmp_path: Path
) -> None:
    models = (numpy_model("A"), numpy_model("B"))
    events = run_job(host, Job(models, save_inputs(tmp_path, x=X), plan=QUICK))
    assert [len(event["samples"]) for event in blocks(events, "warmup")] == [3, 3]
    assert [len(event["samples"]) for event in blocks(events, "measure")] == [3] * 8


def test_warm_up_and_blocks_last_as_long_as_the_plan_says(
    host: Device, numpy_model: Callable[..., JobModel], tmp_path: Path
) -> None:
    plan = Plan(warmup_runs=1, warmup_s=0.2, block_s=0.05, rounds=1, min_runs=1)
    model = numpy_model("slow", seconds=0.004)
    events = run_job(host, Job((model,), save_inputs(tmp_path, x=X), plan=plan))
    (warmup,) = blocks(events, "warmup")
    assert 0.19e9 < sum(warmup["samples"]) < 1e9
    for event in blocks(events, "measure"):
        assert sum(event["samples"]) >= 0.048e9
        assert 12 <= len(event["samples"]) <= 13


def test_outputs_are_those_of_each_sample(
    host: Device, numpy_model: Callable[..., JobModel], tmp_path: Path
) -> None:
    inputs = save_inputs(tmp_path, x=X)
    for count, expected in ((-1, 2 * X), (2, 2 * X[:2]), (99, 2 * X)):
        events = run_job(host, Job((numpy_model("A"),), inputs, outputs=count))
        np.testing.assert_array_equal(outputs_of(events, "A")["y"], expected)
        assert not of_kind(events, "block")


def test_big_outputs_come_in_chunks(
    host: Device, numpy_model: Callable[..., JobModel], tmp_path: Path
) -> None:
    times = worker.OUTPUT_CHUNK_BYTES // X[0].nbytes // 3 + 1
    job = Job((numpy_model("wide", times=times),), save_inputs(tmp_path, x=X), outputs=-1)
    events = run_job(host, job)
    assert [event["start"] for event in of_kind(events, "outputs")] == [0, 3]
    np.testing.assert_array_equal(outputs_of(events, "wide")["y"], np.repeat(2 * X, times, axis=1))


def test_samples_are_preprocessed_before_the_model_sees_them(
    host: Device, numpy_model: Callable[..., JobModel], tmp_path: Path
) -> None:
    bytes_ = np.array([[0, 128, 255]], np.uint8)
    job = Job(
        (numpy_model("A"),),
        save_inputs(tmp_path, x=bytes_),
        Preprocessing(scale=1 / 255, mean=(0.5,), std=(0.5,)),
        outputs=-1,
    )
    y = outputs_of(run_job(host, job), "A")["y"]
    np.testing.assert_allclose(y, 2 * (bytes_ / 255 - 0.5) / 0.5, atol=1e-6)


def test_bytes_reach_an_integer_input_as_real_numbers(
    host: Device, tflite_files: Callable[..., Path], tmp_path: Path
) -> None:
    model = JobModel("int8", LITERT, str(tflite_files("conv_net", int8=True)))
    images = int8_samples()[:4].astype(np.uint8)
    as_bytes = Job((model,), save_inputs(tmp_path, image=images), outputs=-1)
    as_floats = Job((model,), save_inputs(tmp_path, f=images.astype(np.float32)), outputs=-1)
    for array in outputs_of(run_job(host, as_bytes), "int8").values():
        (expected,) = outputs_of(run_job(host, as_floats), "int8").values()
        np.testing.assert_array_equal(array, expected)


def test_what_libraries_print_does_not_reach_the_events(
    numpy_model: Callable[..., JobModel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent))
    job = Job((numpy_model("print"),), save_inputs(tmp_path, x=X), plan=QUICK, outputs=-1)
    (tmp_path / "job.json").write_text(job.to_json())
    result = subprocess.run(
        [sys.executable, "-m", "edgekit_runtimes.worker", tmp_path / "job.json"],
        check=True,
        capture_output=True,
        text=True,
    )
    events = [json.loads(line) for line in result.stdout.splitlines()]
    check_events(events)
    assert events[-1]["event"] == "done"
    assert "native noise on the standard output" in result.stderr
    assert "and Python's own" in result.stderr


def test_a_worker_without_a_job_says_how_to_give_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert worker.main([]) == 2
    assert "usage: python -m edgekit_runtimes.worker JOB.json" in capsys.readouterr().err


def test_a_damaged_file_is_one_error_and_the_others_go_on(
    host: Device, tflite_files: Callable[..., Path], tmp_path: Path
) -> None:
    good = tflite_files("conv_net")
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(good.read_bytes()[:1000])
    models = tuple(
        JobModel(path.stem, LITERT, str(path)) for path in (broken, good, tmp_path / "none.tflite")
    )
    images = save_inputs(tmp_path, image=int8_samples()[:2])
    events = run_job(host, Job(models, images, plan=QUICK, outputs=-1))
    errors = {event["model"]: event["message"] for event in of_kind(events, "error")}
    assert errors.keys() == {"broken", "none"}
    assert f"litert cannot load {broken}: " in errors["broken"]
    assert outputs_of(events, "conv_net")
    assert {event["model"] for event in of_kind(events, "block")} == {"conv_net"}
    assert events[-1]["event"] == "done"


@pytest.mark.parametrize("runs", [0, 2, 6, 12])
def test_a_model_that_fails_later_is_left_out_from_then_on(
    host: Device, numpy_model: Callable[..., JobModel], tmp_path: Path, runs: int
) -> None:
    models = (numpy_model("raise late", runs=runs), numpy_model("A"))
    events = run_job(host, Job(models, save_inputs(tmp_path, x=X), plan=QUICK, outputs=-1))
    (error,) = of_kind(events, "error")
    assert error["model"] == "raise late"
    path = models[0].path
    first = f"numpy cannot run {path}"
    assert error["message"] == f"{first if runs == 0 else 'ValueError'}: no longer"
    after = events[events.index(error) :]
    assert not [event for event in after[1:] if event.get("model") == "raise late"]
    assert len(blocks(of_kind(events, "block", "A"), "measure")) == 4
    assert events[-1]["event"] == "done"


def test_times_of_a_model_that_broke_down_are_void(
    host: Device, numpy_model: Callable[..., JobModel], tmp_path: Path
) -> None:
    models = (numpy_model("zeros late", runs=8), numpy_model("A"))
    events = run_job(host, Job(models, save_inputs(tmp_path, x=X), plan=QUICK))
    (error,) = of_kind(events, "error")
    assert error["model"] == "zeros late"
    assert "its times are void" in error["message"]


def test_a_model_that_gives_nan_gives_the_same_nan_after_the_timing(
    host: Device, numpy_model: Callable[..., JobModel], tmp_path: Path
) -> None:
    events = run_job(host, Job((numpy_model("nan"),), save_inputs(tmp_path, x=X), plan=QUICK))
    assert not of_kind(events, "error")
    assert blocks(events, "measure")


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ([1.0, 2.0], [1.0005, 2.0], True),
        ([1.0, 2.0], [1.1, 2.0], False),
        ([1.0, 2.0], [0.0, 0.0], False),
        ([1.0, 2.0], [np.nan, np.nan], False),
        ([np.nan, 2.0], [np.nan, 2.0], True),
        ([np.inf, 2.0], [np.inf, 2.0], True),
        ([np.inf, 2.0], [-np.inf, 2.0], False),
        ([0.0, 0.0], [0.0, 0.0], True),
        ([1.0, 2.0], [1.0], False),
    ],
)
def test_outputs_are_compared_with_room_for_rounding_only(
    before: list[float], after: list[float], same: bool
) -> None:
    assert worker.same_outputs({"y": np.array(before)}, {"y": np.array(after)}) == same


def test_outputs_whose_shape_changes_from_sample_to_sample_are_an_error(
    host: Device, numpy_model: Callable[..., JobModel], tmp_path: Path
) -> None:
    events = run_job(host, Job((numpy_model("grow"),), save_inputs(tmp_path, x=X), outputs=-1))
    (error,) = of_kind(events, "error", "grow")
    assert "change from sample to sample" in error["message"]


def test_one_array_fits_one_input_whatever_their_names(
    host: Device, numpy_model: Callable[..., JobModel], tmp_path: Path
) -> None:
    job = Job((numpy_model("A"),), save_inputs(tmp_path, features=X), outputs=-1)
    np.testing.assert_array_equal(outputs_of(run_job(host, job), "A")["y"], 2 * X)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a": X, "b": X}, "The model's inputs are named x, and the data a, b."),
        ({"x": X[:, :2]}, "The model takes x: float32[?, 3], and a sample of 'x' is [1, 2]."),
        ({"x": X[:, :, None]}, "The model takes x: float32[?, 3], and a sample of 'x' is"),
        ({"x": X.astype(np.int64) + 2**40}, "'x' is int64 and the model takes float32"),
    ],
)
def test_inputs_that_do_not_fit_are_an_error_of_the_model(
    host: Device,
    numpy_model: Callable[..., JobModel],
    tmp_path: Path,
    arrays: dict[str, Any],
    message: str,
) -> None:
    events = run_job(host, Job((numpy_model("A"),), save_inputs(tmp_path, **arrays), plan=QUICK))
    (error,) = of_kind(events, "error", "A")
    assert message in error["message"]
    assert events[-1]["event"] == "done"


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": X[:0]}, "x"),
        ({"x": X, "y": X[:2]}, "they have: {'x': 4, 'y': 2}"),
        ({"x": np.float32(1)}, "is a single number"),
        ({"x": np.array([{"code": 1}], object)}, "cannot be read"),
    ],
)
def test_data_that_cannot_be_used_is_an_error_of_the_job(
    host: Device,
    numpy_model: Callable[..., JobModel],
    tmp_path: Path,
    arrays: dict[str, Any],
    message: str,
) -> None:
    events = run_job(host, Job((numpy_model("A"),), save_inputs(tmp_path, **arrays), plan=QUICK))
    assert [event["event"] for event in events] == ["environment", "error", "done"]
    assert events[1]["model"] is None
    assert message in events[1]["message"]
