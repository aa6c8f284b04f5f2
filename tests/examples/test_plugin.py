"""examples/plugin, installed beside edgekit in its own virtual environment."""

from __future__ import annotations

import json
import os
import site
import subprocess
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import new_python
from jobs import write_numpy_model
from plugins import EXAMPLE, example_installed, write_distribution

from edgekit_runtimes.devices import open_device
from edgekit_runtimes.errors import UsageError
from edgekit_runtimes.protocol.job import Job, JobModel

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment that finds what this one has, with the plug-in installed in it."""
    folder = tmp_path_factory.mktemp("plugin") / "venv"
    python = new_python(folder, "--no-deps", EXAMPLE)
    # By addsitedir, which also follows what is installed there as editable.
    lines = [f"import site; site.addsitedir({path!r})\n" for path in site.getsitepackages()]
    (packages_of(folder) / "beside.pth").write_text("".join(lines))
    return python


def packages_of(environment: Path) -> Path:
    """Return the folder of installed packages of a virtual environment."""
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(environment)}))


@pytest.fixture
def run(python: Path, tmp_path: Path) -> Run:
    """Run an edgekit command there, in a separate folder; it must succeed."""

    def run(*words: object) -> subprocess.CompletedProcess[str]:
        answer = subprocess.run(
            [python, "-m", "edgekit", *map(str, words)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
        )
        assert answer.returncode == 0, answer.stderr
        return answer

    return run


@pytest.mark.slow
def test_the_plug_in_converts_and_benches_through_the_command_line(
    run: Run, tmp_path: Path
) -> None:
    x = np.random.default_rng(0).normal(size=(64, 8)).astype(np.float32)
    np.savez(tmp_path / "x.npz", x=x)
    form = {"weights": (2 * np.eye(8)).tolist(), "bias": [0.0] * 8}
    (tmp_path / "net.linear").write_text(json.dumps(form))
    data = ("--calibration", "x.npz")
    run("convert", "net.linear", "--to", "tflite", "--recipe", "fp32,int8", *data)
    engines = ("--engine", "litert,litert-no-xnnpack")
    answer = run("bench", "net.edgekit", "--on", "nice:host", *engines, "--json")
    rows = json.loads(answer.stdout)["rows"]
    assert {(row["device"], row["engine"], row["id"]) for row in rows} == {
        ("nice:host", engine, artifact)
        for engine in ("litert", "litert-no-xnnpack")
        for artifact in ("tflite/fp32", "tflite/int8")
    }
    assert {row["status"] for row in rows} == {"ok"}
    for row in rows:
        assert (row["ratio_to_fp32"] is not None) == (row["id"] == "tflite/int8")
        assert row["fidelity"]["worst"]["top1"] > 0.9


def test_help_devices_and_doctor_list_what_the_plug_in_adds(run: Run) -> None:
    text = " ".join(run("bench", "--help").stdout.split())
    assert "nice:host[:/path/to/python] for this machine at the lowest priority" in text
    assert "litert-no-xnnpack" in text
    specs = [device["spec"] for device in json.loads(run("devices", "--json").stdout)]
    assert specs[0] == "host"
    assert specs[-1] == "nice:host"


def test_a_broken_plug_in_beside_it_is_one_warning_and_stops_nothing(
    run: Run, python: Path
) -> None:
    packages = packages_of(python.parents[1])
    write_distribution(packages, "broken", {"edgekit.engines": {"broken": "no_such_module"}})
    answer = run("devices")
    assert answer.stdout.startswith("Can be used")
    (line,) = answer.stderr.splitlines()
    assert line.startswith("Warning: the plug-in 'broken' (edgekit.engines) is left out: Module")


def test_the_device_runs_the_hosts_worker_at_the_lowest_priority(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    pid_file = tmp_path / "pid"
    path = write_numpy_model(tmp_path / "model.json", "hang", pid_file=str(pid_file))
    with example_installed(tmp_path / "metadata"):
        with pytest.raises(UsageError, match=r"'nice:board' is not understood. Write nice:host\."):
            open_device("nice:board")
        with open_device("nice:host") as device:
            assert device.engine_for("tflite").word == "litert"
            events = device.run(Job((JobModel("m", "numpy_engine", path),), {}))
            assert [next(events)["event"] for _ in range(2)] == ["environment", "loading"]
            while not pid_file.exists() or not pid_file.read_text():
                time.sleep(0.01)
            assert os.getpriority(os.PRIO_PROCESS, int(pid_file.read_text())) == 19
