"""Two conversions into one bundle, and a conversion that was killed where that hurts most."""

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
from steps import beside_steps

PATIENCE_S = 120.0
WAITING = "waiting for another run that writes net.edgekit (--no-wait ends instead)\n"


def start(model: Path, folder: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "edgekit", "convert", str(model), "-o", "net.edgekit"]
    return subprocess.Popen(
        [*command, "--to", "tfjs", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )


def wait_for(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def rows(folder: Path) -> dict[str, str]:
    form = json.loads((folder / "net.edgekit" / "edgekit.json").read_text())
    return {row["id"]: row["status"] for row in form["artifacts"]}


@pytest.mark.slow
def test_the_second_of_two_waits_with_a_line_and_adds_to_what_the_first_made(
    saved_models: Callable[[str], Path], tmp_path: Path
) -> None:
    model = saved_models("dense_net")
    first = start(model, tmp_path, "--recipe", "fp32,fp16")
    wait_for((tmp_path / ".net.edgekit.lock").exists)
    second = start(model, tmp_path, "--recipe", "int8-weights")
    third = start(model, tmp_path, "--recipe", "fp16", "--no-wait")
    _, said = third.communicate(timeout=PATIENCE_S)
    assert third.returncode == 2
    assert said.startswith(f"Error: {tmp_path}/net.edgekit is being written by another run.")
    said = [process.communicate(timeout=PATIENCE_S)[1] for process in (first, second)]
    assert [beside_steps(text) for text in said] == ["", WAITING]
    assert (first.returncode, second.returncode) == (0, 0)
    assert rows(tmp_path) == {
        "tfjs/fp32": "ok",
        "tfjs/fp16": "ok",
        "tfjs/int8-weights": "ok",
    }
    assert [path.name for path in tmp_path.iterdir()] == ["net.edgekit"]


@pytest.mark.slow
def test_what_a_conversion_killed_while_it_replaces_a_bundle_left_stops_no_other(
    saved_models: Callable[[str], Path], tmp_path: Path
) -> None:
    model = saved_models("dense_net")
    # So many files that removing them takes a while.
    junk = tmp_path / "net.edgekit" / "junk"
    junk.mkdir(parents=True)
    for number in range(30_000):
        (junk / str(number)).touch()
    (tmp_path / "net.edgekit" / "edgekit.json").write_text("{}")
    process = start(model, tmp_path, "--recipe", "fp32", "--force")
    wait_for(lambda: list(tmp_path.glob(".net.edgekit.partial-*/old")))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    again = start(model, tmp_path, "--recipe", "fp32", "--force")
    assert beside_steps(again.communicate(timeout=PATIENCE_S)[1]) == ""
    assert again.returncode == 0
    assert rows(tmp_path) == {"tfjs/fp32": "ok"}
    assert [path.name for path in tmp_path.iterdir()] == ["net.edgekit"]
