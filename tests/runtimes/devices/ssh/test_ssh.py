"""The device over SSH, against a real sshd: jobs, what is kept there, and how it ends."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import int8_samples
from jobs import (
    LITERT,
    NUMPY,
    ONNXRUNTIME,
    of_kind,
    outputs_of,
    run_job,
    save_inputs,
    write_numpy_model,
)
from ssh_server import spec

from edgekit_runtimes.devices import Device, KeepingDevice, open_device
from edgekit_runtimes.devices.ssh import remote
from edgekit_runtimes.devices.ssh.device import Ssh
from edgekit_runtimes.errors import ConnectionLostError, DeviceError
from edgekit_runtimes.protocol.job import Job, JobModel, Plan

END_LIMIT_S = 10


def numpy_job(folder: Path, does: str = "", plan: Plan | None = None, **arguments: object) -> Job:
    """A job of one model for numpy_engine, which the server's PYTHONPATH finds."""
    model = write_numpy_model(folder / "model.json", does, **arguments)
    inputs = save_inputs(folder, x=np.arange(12, dtype=np.float32).reshape(4, 3))
    return Job((JobModel("model", NUMPY, model),), inputs, plan=plan, outputs=-1)


def wait_for_file(path: Path) -> None:
    end = time.monotonic() + END_LIMIT_S
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < end, f"{path} does not come"
        time.sleep(0.02)


def wait_for_end(pid: int) -> None:
    end = time.monotonic() + END_LIMIT_S
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError(f"process {pid} still runs")


@pytest.mark.slow
def test_an_arm64_device_gives_the_hosts_int8_outputs_bit_by_bit(
    ssh_server, arm64_python, tflite_files, tmp_path
):
    path = str(tflite_files("conv_net", int8=True))
    inputs = save_inputs(tmp_path, image=int8_samples()[:4])
    job = Job((JobModel("int8", LITERT, path),), inputs, outputs=-1)
    with open_device("host") as host:
        expected = outputs_of(run_job(host, job), "int8")
    with open_device(spec(arm64_python)) as device:
        events = run_job(device, job)
    (environment,) = of_kind(events, "environment")
    assert (environment["machine"], environment["cpu"][:14]) == ("aarch64", "Raspberry Pi 4")
    assert events[-1]["event"] == "done"
    outputs = outputs_of(events, "int8")
    assert all(np.array_equal(outputs[name], expected[name]) for name in expected)


def test_a_job_runs_and_its_events_come_back(ssh_server, tmp_path):
    plan = Plan(warmup_s=0.0, block_s=0.0, rounds=1, min_runs=4)
    with open_device(spec()) as device:
        events = run_job(device, numpy_job(tmp_path, plan=plan))
    assert [len(event["samples"]) for event in of_kind(events, "block")] == [1, 2, 2]
    assert np.array_equal(
        outputs_of(events, "model")["y"], 2 * np.arange(12, dtype=np.float32).reshape(4, 3)
    )


def test_a_second_run_copies_nothing(ssh_server, tmp_path):
    job = numpy_job(tmp_path)
    with open_device(spec()) as device:
        run_job(device, job)
    kept = ssh_server.kept()
    # The model, its samples and our ground floor, as it came and unpacked.
    assert len({name.split("/")[2] for name in kept}) == 4
    with open_device(spec()) as device:
        run_job(device, job)
    assert ssh_server.kept() == kept


def test_a_file_that_was_damaged_on_the_device_is_copied_again(ssh_server, tmp_path):
    job = numpy_job(tmp_path)
    with open_device(spec()) as device:
        run_job(device, job)
    for file in (ssh_server.cache / "edgekit" / "device").iterdir():
        if file.is_file():
            file.write_bytes(b"0" * file.stat().st_size)
    with open_device(spec()) as device:
        assert of_kind(run_job(device, job), "error") == []


def test_clean_removes_all_that_is_kept(ssh_server, tmp_path):
    with open_device(spec()) as device:
        assert isinstance(device, KeepingDevice)
        run_job(device, numpy_job(tmp_path))
        assert ssh_server.kept()
        device.clean()
        assert not ssh_server.kept()
        assert of_kind(run_job(device, numpy_job(tmp_path)), "error") == []


def test_a_device_behind_a_jump_host_is_reached_through_it(ssh_server, tmp_path):
    with ssh_server.config.open("a") as config:
        config.write(f"Host far\n  HostName 127.0.0.1\n  Port {ssh_server.port}\n  ProxyJump pi\n")
    with open_device(spec(host="far")) as device:
        assert run_job(device, numpy_job(tmp_path))[-1]["event"] == "done"


def test_an_artifact_that_cannot_be_loaded_is_reported_by_its_path_here(ssh_server, tmp_path):
    model = tmp_path / "broken.onnx"
    model.write_bytes(b"broken")
    inputs = save_inputs(tmp_path, x=np.zeros((1, 3), np.float32))
    with open_device(spec()) as device:
        events = run_job(device, Job((JobModel("broken", ONNXRUNTIME, str(model)),), inputs))
    (error,) = of_kind(events, "error")
    assert error["message"].startswith(f"onnxruntime cannot load {model}: ")


def test_a_model_that_kills_its_interpreter_is_one_error_and_the_next_job_runs(
    ssh_server, tmp_path
):
    with open_device(spec()) as device:
        events = run_job(device, numpy_job(tmp_path, "die at load", signal="SIGSEGV"))
        (error,) = of_kind(events, "error", "model")
        assert error["message"] == "the interpreter died (signal 11, SIGSEGV)"
        assert run_job(device, numpy_job(tmp_path))[-1]["event"] == "done"


def test_a_worker_that_hangs_is_stopped_on_the_device_too(ssh_server, tmp_path):
    pid_file = tmp_path / "pid"
    with Ssh(spec(), silence_limit_s=3) as device:
        events = run_job(device, numpy_job(tmp_path, "hang", pid_file=str(pid_file)))
    (error,) = of_kind(events, "error", "model")
    assert error["message"] == "no sign of life for 3 s: the interpreter was stopped"
    wait_for_end(int(pid_file.read_text()))


def test_a_connection_that_drops_keeps_its_events_and_ends_the_worker(ssh_server, tmp_path):
    pid_file = tmp_path / "pid"
    job = numpy_job(tmp_path, "hang", pid_file=str(pid_file))
    events = []

    def run_and_drop(device: Device) -> None:
        for event in device.run(job):
            events.append(event)
            if event["event"] == "loading":
                wait_for_file(pid_file)
                ssh_server.drop_connections()

    with open_device(spec()) as device, pytest.raises(ConnectionLostError) as caught:
        run_and_drop(device)
    assert [event["event"] for event in events] == ["environment", "loading"]
    message = str(caught.value)
    assert message.startswith("the connection to pi dropped (")
    assert message.endswith("Run the same command again: what was copied there is kept")
    wait_for_end(int(pid_file.read_text()))


@pytest.mark.parametrize("size", [100, 4_000_000], ids=["that says nothing", "that takes nothing"])
def test_a_far_end_that_stalls_while_files_are_copied_is_given_up(
    ssh_server, tmp_path, monkeypatch, size
):
    monkeypatch.setattr(remote, "STALL_LIMIT_S", 1.0)
    python = tmp_path / "python"
    stall = 'case "$*" in *receive*) exec sleep 600;; esac'
    python.write_text(f'#!/bin/sh\n{stall}\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    (tmp_path / "model.bin").write_bytes(bytes(size))
    with open_device(spec(python)) as device:
        start = time.monotonic()
        with pytest.raises(DeviceError, match="took and sent nothing for 1 s while files were"):
            run_job(device, Job((JobModel("model", NUMPY, str(tmp_path / "model.bin")),), {}))
        # The shared connection keeps the command's stderr open a while longer.
        assert time.monotonic() - start < 3 * END_LIMIT_S


def test_closing_the_device_leaves_no_process_and_no_file(ssh_server, tmp_path):
    device = open_device(spec())
    pid_file = tmp_path / "pid"
    events = device.run(numpy_job(tmp_path, "hang", pid_file=str(pid_file)))
    while next(events)["event"] != "loading":
        pass
    wait_for_file(pid_file)
    (socket,) = ssh_server.sockets
    assert socket.parent.exists()
    device.close()
    wait_for_end(int(pid_file.read_text()))
    assert not socket.parent.exists()
