"""Building a userland from nothing: with the machine's own apt and pip, killed and at once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edgekit_runtimes.devices.board import cache

pytestmark = [pytest.mark.board, pytest.mark.slow]

LARGEST_BYTES = 400_000_000
SYSTEM_FOLDERS = ("/var/lib/apt", "/var/lib/dpkg", "/var/cache/apt")


def system_state() -> dict[str, tuple[int, int]]:
    """Return size and time of every file in which the system's apt and dpkg keep their state."""
    files = [file for folder in SYSTEM_FOLDERS for file in Path(folder).rglob("*")]
    return {
        str(file): (file.stat().st_size, file.stat().st_mtime_ns)
        for file in files
        if file.is_file() and os.access(file, os.R_OK)
    }


def start_build() -> subprocess.Popen:
    command = [sys.executable, "-m", "edgekit", "board", "build", "pi5"]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(path: Path, process: subprocess.Popen) -> None:
    while not path.exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)


def test_two_builds_at_once_after_a_killed_one_make_one_whole_userland(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = cache.cache_folder()
    before = system_state()

    with start_build() as killed:
        wait_for(folder / "building" / cache.USERLAND, killed)
        killed.kill()
    assert cache.find_userland().reason == "not built"
    fetched = {file: file.stat().st_mtime_ns for file in folder.rglob("*.whl")}
    assert fetched

    builds = [start_build(), start_build()]
    wait_for(folder / "building" / cache.USERLAND, builds[0])
    assert {file: file.stat().st_mtime_ns for file in folder.rglob("*.whl")} == fetched
    for build in builds:
        out, err = build.communicate()
        assert build.returncode == 0, err
        assert out.startswith("board:pi5 is ready: Python 3.")
    userland = cache.find_userland().userland
    assert userland is not None
    assert {entry.name for entry in folder.iterdir()} == {"lock", "userland"}
    assert userland.bytes < LARGEST_BYTES
    assert system_state() == before
