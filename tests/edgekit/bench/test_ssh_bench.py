"""A bench on a device over SSH, against a real sshd: rows, exit codes, and what stays behind."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import small_artifacts
from ssh_server import make_key, spec, write_script

from edgekit.bench.progress import Progress
from edgekit.bench.request import BenchRequest, bench_request
from edgekit.bench.run import run_bench
from edgekit.bundle.bundle import load_bundle
from edgekit.inspect.subject import Subject
from edgekit.results.plan import BenchPlan
from edgekit_runtimes.protocol.job import Plan

# Enough to go through every step; far too little to claim anything.
SHORT = BenchPlan("short", 2, Plan(warmup_s=0.0, block_s=0.0, rounds=1, min_runs=4))


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("artifacts")
    small_artifacts.write_tflite(folder / "fp32.tflite")
    small_artifacts.write_tflite(folder / "int8.tflite", quantized=True)
    np.save(folder / "golden.npy", small_artifacts.inputs(8))
    return folder


@pytest.fixture
def request_on(artifacts: Path) -> Callable[..., BenchRequest]:
    """Make a request for an fp32 and an int8 artifact on a device."""

    def make(device: str, **more: object) -> BenchRequest:
        return BenchRequest(
            bundle="small",
            subjects=[
                Subject(f"tflite/{recipe}", "tflite", recipe, artifacts / f"{recipe}.tflite", 1, {})
                for recipe in ("fp32", "int8")
            ],
            inputs={"x": str(artifacts / "golden.npy")},
            golden={"class": small_artifacts.answers(small_artifacts.inputs(8))},
            devices=(device,),
            plan=SHORT,
            **more,
        )

    return make


@pytest.fixture
def bundle(bundles: Callable[..., Path]) -> Path:
    return bundles("conv_net", "--to", "tflite,tfjs", "--recipe", "fp32")


def test_bench_on_a_device_over_ssh_prints_its_table(ssh_server, cli, bundle, short_plan):
    answer = cli("bench", bundle, "--on", spec())
    assert answer.exit_code == 0, answer.err
    lines = answer.out.splitlines()
    assert lines[0].startswith(f"{spec()}: ")
    assert any(line.startswith("tflite/fp32") for line in lines)
    assert any(line.startswith("tfjs/fp32: not available: needs host, ") for line in lines)


@pytest.mark.slow
def test_int8_on_an_arm64_device_agrees_with_the_original(
    ssh_server, arm64_python, bundles, tmp_path
):
    folder = bundles("conv_net", "--to", "tflite", "--recipe", "fp32,int8")
    request = bench_request(load_bundle(folder), tmp_path, [spec(arm64_python)])
    short = dataclasses.replace(SHORT, processes=1)
    results = run_bench(dataclasses.replace(request, plan=short))
    assert [row.status for row in results.rows] == ["ok", "ok"]
    assert results.environments[spec(arm64_python)]["machine"] == "aarch64"
    fp32, int8 = results.rows
    assert fp32.fidelity.sqnr_db > 80
    assert int8.fidelity.sqnr_db > 15
    assert int8.agreement_with_host.exact
    assert len(int8.blocks) == 1 + 2


def test_a_connection_that_drops_leaves_what_had_come_and_says_how_to_go_on(ssh_server, request_on):
    def drop_in_the_second_process(step: Progress) -> None:
        # After two checks, the two groups of the first process and one of the second.
        if step.done == 5:
            ssh_server.drop_connections()

    results = run_bench(request_on(spec()), drop_in_the_second_process)
    assert results.failed
    fp32, int8 = results.rows
    for row in results.rows:
        assert row.status == "failed"
        assert row.reason.startswith("the connection to pi dropped")
        assert row.reason.endswith("Run the same command again: what was copied there is kept")
        assert row.fidelity is not None
    assert {block.process for block in fp32.blocks} == {0, 1}
    assert {block.process for block in int8.blocks} == {0}
    assert len(int8.blocks) == 1 + 2
    assert int8.statistics is not None
    kept = ssh_server.kept()
    again = run_bench(request_on(spec()))
    assert [row.status for row in again.rows] == ["ok", "ok"]
    assert ssh_server.kept() == kept


def test_clean_leaves_nothing_on_the_device(ssh_server, request_on):
    old = ssh_server.cache / "edgekit" / "device" / "old"
    old.parent.mkdir(parents=True)
    old.touch()
    results = run_bench(request_on(spec(), clean=True))
    assert [row.status for row in results.rows] == ["ok", "ok"]
    assert not ssh_server.kept()


def test_clean_is_refused_where_no_device_keeps_anything(refused, bundle):
    message, exit_code = refused("bench", bundle, "--clean")
    assert message == "--clean is for devices over SSH: nothing is kept on the others."
    assert exit_code == 2


def test_a_device_without_space_is_a_row_with_the_reason(ssh_server, request_on, tmp_path):
    ssh_server.cache.mkdir()
    # A disk of 64 KB instead of the device's cache, seen by this Python alone.
    mount = f"mount -t tmpfs -o size=64k none {ssh_server.cache} && "
    isolate, error = "unshare --map-root-user --mount", "No space left on device"
    if subprocess.run([*isolate.split(), "true"], capture_output=True).returncode:
        # Where containers may not mount, no file may be larger than that.
        mount, isolate, error = "ulimit -f 64 && ", "env", "File too large"
    start = f"exec {isolate} sh -c '{mount} exec {sys.executable} \"$@\"' sh"
    full = write_script(tmp_path / "python", f'{start} "$@"')
    results = run_bench(request_on(spec(full)))
    folder = ssh_server.cache / "edgekit" / "device"
    assert [row.reason for row in results.rows] == [
        f"{spec(full)} cannot keep files in {folder}: {error}. Make sure that there is room and "
        "that it can be written to; --clean removes what edgekit keeps there"
    ] * 2


@pytest.mark.parametrize(
    ("device", "message", "exit_code"),
    [
        ("ssh://pi:1", "pi cannot be reached: ssh: connect to host 127.0.0.1 port 1: ", 3),
        ("ssh://pi/etc", "/etc is not a Python interpreter that runs on pi: ", 2),
        ("ssh:pi", "Device 'ssh:pi' is not understood. Write it as ssh://", 2),
    ],
)
def test_a_device_that_cannot_be_used_ends_the_bench_before_any_work(
    ssh_server, refused, bundle, device, message, exit_code
):
    said, code = refused("bench", bundle, "--on", "host", "--on", device)
    assert said.startswith(message)
    assert code == exit_code


def test_a_changed_host_key_ends_the_bench(ssh_server, refused, bundle):
    make_key(ssh_server.folder / "another")
    ssh_server.trust(ssh_server.folder / "another.pub")
    message, exit_code = refused("bench", bundle, "--on", spec())
    assert message.startswith("The host key of pi has changed")
    assert exit_code == 3


def test_blocks_of_the_process_that_was_cut_count_too(ssh_server, request_on):
    long = Plan(warmup_s=0.0, block_s=0.05, rounds=200, min_runs=1)
    request = request_on(spec())
    request = dataclasses.replace(request, plan=BenchPlan("long", 1, long))
    timers = []

    def drop_soon(step: Progress) -> None:
        if step.text == "timing tflite/fp32":
            timers.append(threading.Timer(5.0, ssh_server.drop_connections))
            timers[0].start()

    fp32, int8 = run_bench(request, drop_soon).rows
    measured = [block for block in fp32.blocks if block.phase == "measure"]
    assert 1 <= len(measured) < 400
    assert int8.blocks == ()
    assert int8.status == fp32.status == "failed"
