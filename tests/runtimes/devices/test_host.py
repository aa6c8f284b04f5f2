"""The device `host`: our own Python, another one, and workers that die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import int8_samples
from jobs import (
    LITERT,
    NUMPY,
    ONNXRUNTIME,
    TFLITE_RUNTIME,
    of_kind,
    outputs_of,
    run_job,
    save_inputs,
    write_numpy_model,
)
from tflite_by_hand import write_remainder

from edgekit_runtimes.devices import open_device
from edgekit_runtimes.devices.host.device import Host
from edgekit_runtimes.errors import UsageError
from edgekit_runtimes.protocol.job import Job, JobModel, Plan

X = np.ones((2, 3), np.float32)
QUICK = Plan(warmup_runs=1, warmup_s=0.0, block_s=0.0, rounds=1, min_runs=6)
TESTS = str(Path(__file__).parents[2])


@pytest.fixture
def engine_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", TESTS)


def numpy_job(
    folder: Path, *models: tuple[str, dict[str, object]], plan: Plan | None = None
) -> Job:
    return Job(
        tuple(
            JobModel(does, NUMPY, write_numpy_model(folder / f"{does}.json", does, **arguments))
            for does, arguments in models
        ),
        save_inputs(folder, x=X),
        plan=plan,
        outputs=-1,
    )


def is_alive(pid: int) -> bool:
    """Whether a process exists and is not a zombie."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


# --- Opening --------------------------------------------------------------------------------------


def test_host_runs_tflite_and_onnx_in_python_and_tfjs_under_node() -> None:
    with open_device("host") as device:
        assert device.name == "host"
        assert device.engine_for("tflite").module == LITERT
        assert device.engine_for("onnx").module == ONNXRUNTIME
        tfjs = device.engine_for("tfjs")
        assert (tfjs.word, tfjs.module, tfjs.backend) == ("tfjs", "tfjs", "wasm")


def test_an_unknown_device_gets_the_nearest_one_suggested() -> None:
    with pytest.raises(UsageError) as caught:
        open_device("hots")
    assert str(caught.value) == (
        "Unknown device 'hots'. Did you mean 'host'? Known: host, node, board, ssh, browser."
    )


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("", "Device 'host:' does not name a Python. Write host or host:/path/to/python."),
        ("/no/python", "/no/python is not a Python interpreter that runs here: No such file"),
        ("/etc/passwd", "/etc/passwd is not a Python interpreter that runs here: Permission"),
        ("/bin/ls", "/bin/ls is not a Python interpreter that runs here: "),
        ("/bin/echo", "/bin/echo is not a Python interpreter that runs here: it does not"),
        ("/usr", "/usr is a folder. Give the Python in it, as in /usr/bin/python."),
    ],
)
def test_what_is_not_a_python_is_refused(path: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_device(f"host:{path}")
    assert str(caught.value).startswith(message)


def test_a_python_that_is_too_old_is_refused(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho \'{"version": [3, 9, 2], "found": []}\'\n')
    python.chmod(0o755)
    with pytest.raises(UsageError, match=r"is Python 3\.9\.2; edgekit's worker needs 3\.11"):
        open_device(f"host:{python}")


def test_a_python_without_numpy_is_refused_with_the_line_to_type(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    python = tmp_path / "bare" / "bin" / "python"
    with pytest.raises(UsageError, match=f"has no numpy. Install it with: {python} -m pip install"):
        open_device(f"host:{python}")


# --- Another Python -------------------------------------------------------------------------------


def test_another_python_runs_what_it_has_engines_for(old_python: Path) -> None:
    with open_device(f"host:{old_python}") as device:
        assert device.name == f"host:{old_python}"
        assert device.engine_for("tflite").module == TFLITE_RUNTIME
        litert, tflite_runtime = device.engines_for("tflite")
        assert (litert.word, litert.module) == ("litert", None)
        assert litert.reason.endswith(
            f"Install it with: {old_python} -m pip install ai-edge-litert"
        )
        assert (tflite_runtime.word, tflite_runtime.module) == ("tflite-runtime", TFLITE_RUNTIME)
        onnx = device.engine_for("onnx")
        assert onnx.module is None
        assert onnx.reason.endswith(f"Install it with: {old_python} -m pip install onnxruntime")
        assert device.engine_for("tfjs").reason == (
            "needs host, node, browser:webgl, browser:wasm, browser:webgpu or browser:cpu"
        )


@pytest.mark.parametrize("int8", [False, True])
def test_tflite_runtime_agrees_with_litert(
    old_python: Path, tflite_files: Callable[..., Path], tmp_path: Path, int8: bool
) -> None:
    path = str(tflite_files("conv_net", int8=int8))
    inputs = save_inputs(tmp_path, image=int8_samples())
    results = {}
    for spec, engine in (("host", LITERT), (f"host:{old_python}", TFLITE_RUNTIME)):
        with open_device(spec) as device:
            events = run_job(device, Job((JobModel("m", engine, path),), inputs, outputs=-1))
        (facts,) = of_kind(events, "environment")
        assert (spec == "host") == facts["numpy"].startswith("2.")
        (results[engine],) = outputs_of(events, "m").values()
    # On this net static int8 differs by one step of the output between the two engines (on deep
    # ones by up to 41 of 127); float only rounds.
    (loaded,) = of_kind(events, "loaded")
    tolerance = 3 * loaded["outputs"][0]["quantization"]["scale"] if int8 else 1e-5
    np.testing.assert_allclose(results[TFLITE_RUNTIME], results[LITERT], atol=tolerance)
    assert np.unique(results[TFLITE_RUNTIME]).size > 20


def test_tflite_runtime_measures_and_names_its_version(
    old_python: Path, tflite_files: Callable[..., Path], tmp_path: Path
) -> None:
    model = JobModel("m", TFLITE_RUNTIME, str(tflite_files("conv_net")), {"threads": 2})
    job = Job((model,), save_inputs(tmp_path, image=int8_samples()), plan=QUICK)
    with open_device(f"host:{old_python}") as device:
        events = run_job(device, job)
    (loaded,) = of_kind(events, "loaded")
    assert (loaded["engine"], loaded["engine_version"]) == ("tflite-runtime", "2.14.0")
    assert [len(event["samples"]) for event in of_kind(events, "block")] == [1, 3, 3]


def test_another_python_sees_nothing_of_our_packages(
    old_python: Path, tmp_path: Path, engine_on_path: None
) -> None:
    with open_device(f"host:{old_python}") as device:
        events = run_job(device, numpy_job(tmp_path, ("a", {})))
    (error,) = of_kind(events, "error")
    assert error["message"].endswith("cannot be imported: No module named 'numpy_engine'")


# --- Workers that die -----------------------------------------------------------------------------


def test_a_file_on_which_tflite_runtime_dies_is_one_error(
    old_python: Path, tflite_files: Callable[..., Path], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(tflite_files("conv_net").read_bytes()[:1000])
    models = (
        JobModel("good", TFLITE_RUNTIME, str(tflite_files("conv_net"))),
        JobModel("broken", TFLITE_RUNTIME, str(broken)),
    )
    job = Job(models, save_inputs(tmp_path, image=int8_samples()), outputs=-1)
    with open_device(f"host:{old_python}") as device:
        events = run_job(device, job)
        assert [event["event"] for event in events][-2:] == ["loading", "error"]
        assert events[-1]["model"] == "broken"
        assert events[-1]["message"] == "the interpreter died (signal 11, SIGSEGV)"
        assert outputs_of(run_job(device, Job(models[:1], job.inputs, outputs=1)), "good")


def test_a_file_on_which_litert_dies_is_one_error(tmp_path: Path) -> None:
    write_remainder(tmp_path / "mod.tflite")
    inputs = save_inputs(
        tmp_path, a=np.array([[7, -(2**31)]], np.int32), b=np.array([[4, -1]], np.int32)
    )
    job = Job((JobModel("mod", LITERT, str(tmp_path / "mod.tflite")),), inputs, outputs=1)
    with open_device("host") as device:
        events = run_job(device, job)
    assert events[-1]["event"] == "error"
    assert events[-1]["model"] == "mod"
    assert events[-1]["message"] == "the interpreter died (signal 8, SIGFPE)"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("SIGSEGV", "the interpreter died (signal 11, SIGSEGV)"),
        ("SIGABRT", "the interpreter died (signal 6, SIGABRT)"),
        ("SIGKILL", "the interpreter was killed (signal 9, SIGKILL); often memory had run out"),
    ],
)
def test_a_dead_worker_is_one_error_with_its_model_and_its_signal(
    tmp_path: Path, engine_on_path: None, name: str, message: str
) -> None:
    job = numpy_job(tmp_path, ("a", {}), ("die at load", {"signal": name}), ("b", {}))
    with open_device("host") as device:
        events = run_job(device, job)
    assert events[-1]["model"] == "die at load"
    assert events[-1]["message"] == message
    assert len(of_kind(events, "error")) == 1
    assert not of_kind(events, "done")


@pytest.mark.parametrize("runs", [2, 4, 8])
def test_a_death_in_the_middle_is_put_down_to_the_model_that_ran(
    tmp_path: Path, engine_on_path: None, runs: int
) -> None:
    job = numpy_job(tmp_path, ("a", {}), ("die late", {"runs": runs}), ("b", {}), plan=QUICK)
    with open_device("host") as device:
        events = run_job(device, job)
    assert events[-1]["event"] == "error"
    assert events[-1]["model"] == "die late"


def test_a_worker_that_cannot_start_tells_its_last_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "numpy.py").write_text("raise ImportError('this numpy is broken')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with open_device("host") as device:
        (event,) = run_job(device, numpy_job(tmp_path, ("a", {})))
    assert event["event"] == "error"
    assert event["model"] is None
    assert event["message"] == (
        "the interpreter ended with exit code 1: ImportError: this numpy is broken"
    )
    assert event["stderr"][-1] == "ImportError: this numpy is broken"


UNREAD = """
import os
from edgekit_runtimes.devices.process import WorkerProcess
from edgekit_runtimes.protocol.job import Job, JobModel

job = Job((JobModel("model", "engine", "path", {"larger": "than a pipe" * 100_000}),), {})
for event in WorkerProcess(["true"], os.environ).events(job):
    print(event["message"])
"""


def test_a_worker_that_dies_before_it_reads_its_job_is_an_error() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    result = subprocess.run(
        [sys.executable, "-c", UNREAD], env=environment, capture_output=True, text=True
    )
    assert (result.returncode, result.stdout) == (0, "the interpreter ended with exit code 0\n")


def test_a_hung_worker_is_stopped_and_its_model_named(tmp_path: Path, engine_on_path: None) -> None:
    pid_file = tmp_path / "pid"
    with Host(silence_limit_s=2.0) as device:
        events = run_job(device, numpy_job(tmp_path, ("hang", {"pid_file": str(pid_file)})))
    assert events[-1]["model"] == "hang"
    assert events[-1]["message"].startswith("no sign of life for 2 s")
    assert not is_alive(int(pid_file.read_text()))


# --- No orphans -----------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["iterator", "device"])
def test_closing_the_iterator_or_the_device_ends_the_worker(
    tmp_path: Path, engine_on_path: None, way: str
) -> None:
    pid_file = tmp_path / "pid"
    with open_device("host") as device:
        events = device.run(numpy_job(tmp_path, ("hang", {"pid_file": str(pid_file)})))
        while next(events)["event"] != "loading":
            pass
        assert wait_for(lambda: pid_file.exists() and pid_file.read_text() != "")
        if way == "iterator":
            events.close()  # type: ignore[attr-defined]
            assert not is_alive(int(pid_file.read_text()))
    assert not is_alive(int(pid_file.read_text()))


def test_ctrl_c_ends_the_worker(tmp_path: Path, engine_on_path: None) -> None:
    pid_file = tmp_path / "pid"
    job = numpy_job(tmp_path, ("hang", {"pid_file": str(pid_file)}))
    script = (
        "import sys\n"
        "from edgekit_runtimes.devices import open_device\n"
        "from edgekit_runtimes.protocol.job import Job\n"
        "with open_device('host') as device:\n"
        "    for event in device.run(Job.from_json(sys.argv[1])): pass\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, job.to_json()], stderr=subprocess.PIPE, text=True
    )
    assert wait_for(lambda: pid_file.exists() and pid_file.read_text() != "")
    worker = int(pid_file.read_text())
    assert is_alive(worker)
    assert os.getpgid(worker) != os.getpgid(process.pid)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert said.strip().endswith("KeyboardInterrupt")
    assert not is_alive(worker)
