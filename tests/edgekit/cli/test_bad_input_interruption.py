"""Ctrl-C at any moment: exit code 130, one line, nothing half-written, and work continues later.

Real processes and real signals.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Answer, listing

from edgekit.bundle.bundle import load_bundle
from edgekit_runtimes.artifact import sha256_of

INTERRUPTED, TERMINATED = 130, 143
# The line break is click's: a terminal shows ^C before it. Steps that were begun come first.
STOPPED = "\n\nInterrupted.\n"
PATIENCE_S = 60

FORMATS, RECIPES = "tflite,tfjs,onnx", "fp32,fp16,int8-weights"


def start(model: Path, folder: Path) -> subprocess.Popen[str]:
    """Start a conversion to net.edgekit in `folder`."""
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "edgekit", "convert", str(model), "-o", "net.edgekit"),
            *("--to", FORMATS, "--recipe", RECIPES),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )


def check_stopped(answer: Answer, exit_code: int = INTERRUPTED) -> None:
    """Assert that a command ended for an interruption, and with nothing but that word."""
    assert (answer.exit_code, answer.out) == (exit_code, "")
    assert f"\n{answer.err}".endswith(STOPPED)
    assert "Traceback" not in answer.err


def interrupt(
    process: subprocess.Popen[str],
    moment: Callable[[], bool],
    with_signal: signal.Signals = signal.SIGINT,
) -> Answer:
    """Send Ctrl-C as soon as `moment` says so, and return what the process left."""
    deadline = time.monotonic() + PATIENCE_S
    while not moment():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(with_signal)
    out, err = process.communicate(timeout=PATIENCE_S)
    return Answer(process.returncode, out, err)


def loads_tensorflow(process: subprocess.Popen[str]) -> bool:
    """Return whether the process has begun to import TensorFlow."""
    return "libtensorflow" in Path(f"/proc/{process.pid}/maps").read_text()


def finished(bundle: Path) -> list[str]:
    """Return which artifacts the manifest lists."""
    if not (bundle / "edgekit.json").exists():
        return []
    return [row["id"] for row in json.loads((bundle / "edgekit.json").read_text())["artifacts"]]


def check_whole(bundle: Path) -> None:
    """Assert that the bundle holds the artifacts that its manifest lists, and nothing else."""
    opened = load_bundle(bundle)
    paths = {opened.artifact_path(record): record.sha256 for record in opened.artifacts}
    assert {path: sha256_of(path) for path in paths} == paths
    files = {path for path in bundle.rglob("*") if path.is_file()}
    artifacts = {file for path in paths for file in (path, *path.rglob("*")) if file.is_file()}
    assert {path.name for path in files - artifacts} == {"edgekit.json", "class.npy"}


def test_ctrl_c_while_the_source_is_loaded_leaves_nothing(
    saved_models: Callable[[str], Path], tmp_path: Path
) -> None:
    process = start(saved_models("dense_net"), tmp_path)
    answer = interrupt(process, lambda: loads_tensorflow(process))
    check_stopped(answer)
    assert not any(tmp_path.iterdir())


def test_ctrl_c_during_the_first_artifact_leaves_nothing(
    saved_models: Callable[[str], Path], tmp_path: Path
) -> None:
    bundle = tmp_path / "net.edgekit"
    process = start(saved_models("dense_net"), tmp_path)
    answer = interrupt(process, lambda: any(bundle.glob(".partial-*")))
    check_stopped(answer)
    assert not any(tmp_path.iterdir())


def test_ctrl_c_later_keeps_what_is_finished_and_the_same_command_goes_on(
    saved_models: Callable[[str], Path], tmp_path: Path
) -> None:
    bundle = tmp_path / "net.edgekit"
    model = saved_models("dense_net")
    process = start(model, tmp_path)
    answer = interrupt(process, lambda: len(finished(bundle)) >= 2)
    check_stopped(answer)
    kept = finished(bundle)
    assert 2 <= len(kept) < 9
    check_whole(bundle)
    before = {folder: listing(bundle / folder) for folder in FORMATS.split(",")}

    process = start(model, tmp_path)
    said = process.communicate(timeout=PATIENCE_S)[1]
    assert "Traceback" not in said
    assert said.count(" of 9)") == 9 - len(kept)
    assert process.returncode == 0
    assert len(finished(bundle)) == 9
    check_whole(bundle)
    for folder, files in before.items():
        assert files.items() <= listing(bundle / folder).items()


def test_being_terminated_is_as_ctrl_c_with_its_own_code(
    saved_models: Callable[[str], Path], tmp_path: Path
) -> None:
    process = start(saved_models("dense_net"), tmp_path)
    answer = interrupt(process, lambda: loads_tensorflow(process), signal.SIGTERM)
    check_stopped(answer, TERMINATED)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_before_the_command_line_is_read_a_signal_ends_it_without_a_word(
    tmp_path: Path, number: signal.Signals
) -> None:
    # Ends itself when the first module of the command line is looked for.
    (tmp_path / "sitecustomize.py").write_text(f"""
import os, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "click":
            os.kill(os.getpid(), {int(number)})
sys.meta_path.insert(0, Finder())
""")
    answer = subprocess.run(
        [sys.executable, "-m", "edgekit", "--help"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert (answer.returncode, answer.stdout, answer.stderr) == (-number, "", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["convert net.keras", "devices --json"])
def test_an_interruption_that_a_library_swallows_counts_at_the_next_step_and_in_the_exit_code(
    tmp_path: Path, number: signal.Signals, command: str
) -> None:
    (tmp_path / "program.py").write_text(f"""
import os, time
from edgekit import api, cli
def swallow():
    try: os.kill(os.getpid(), {int(number)}); time.sleep(5)
    except BaseException: pass
def convert(*args, progress, **options):
    swallow()
    progress("the next step")
    time.sleep(30)
def devices():
    swallow()
    return []
api.convert, api.devices = convert, devices
cli.main({command.split()})
""")
    answer = subprocess.run(
        [sys.executable, "-m", "program"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        cwd=tmp_path,
    )
    assert answer.returncode == 128 + number
    assert answer.stderr.splitlines()[-1] == "Interrupted."


@pytest.mark.parametrize(
    "place",
    [
        # Python prints and drops an exception that is raised in a finalizer.
        "class Swallows:\n    def __del__(self): interrupt()\nSwallows()\ntime.sleep(30)",
        # A KeyboardInterrupt that passed through exec makes Python end itself by SIGINT.
        "try: exec('interrupt()')\nexcept KeyboardInterrupt: raise",
    ],
)
def test_a_ctrl_c_that_python_would_lose_still_ends_with_130(tmp_path: Path, place: str) -> None:
    (tmp_path / "program.py").write_text(f"""
import os, signal, time
from edgekit.cli import interrupt as module
def interrupt():
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(5)
module.take_over(debug=False)
try:
    exec({place!r})
except KeyboardInterrupt:
    module.leave(130)
""")
    answer = subprocess.run(
        # With -m, as `python -m edgekit`: a program that Python is given as a file has no such end.
        [sys.executable, "-m", "program"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        cwd=tmp_path,
    )
    assert (answer.returncode, answer.stderr) == (INTERRUPTED, "")
