"""Browsers for tests: which must be there, their processes, and an invisible screen."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

PATIENCE_S = 60.0
GPU_PROCESS = "--type=gpu-process"
RENDERER = "--type=renderer"


def need(*programs: str) -> None:
    """Skip the test where a program is missing; under continuous integration that is a failure."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        # A continuous integration that quietly tests less is worthless.
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up(f"needs {', '.join(missing)}: see SYSTEM_PACKAGES in the Makefile")


def below(root: int) -> dict[int, str]:
    """Return the processes that one has started, directly or not, with their command lines."""
    parents: dict[int, int] = {}
    lines: dict[int, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            number = int(folder.name)
            # The name of a program is in parentheses and may hold anything.
            parents[number] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            lines[number] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    found = {root}
    while new := {number for number, parent in parents.items() if parent in found} - found:
        found |= new
    return {number: lines[number] for number in found - {root}}


def child(word: str, root: int | None = None) -> int:
    """Return the process below one (by default this one) that has a word in its command line."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = [number for number, line in below(root or os.getpid()).items() if word in line]
        if found:
            return found[0]
        time.sleep(0.05)
    raise TimeoutError(f"no process with {word}")


def folders(processes: Mapping[int, str]) -> set[Path]:
    """Return where those browsers among the processes that edgekit has started write."""
    text = " ".join(processes.values())
    return {
        Path(found) for found in re.findall(r"--user-data-dir=(/tmp/edgekit-[^/]+/[^/]+)/", text)
    }


def wait_for(moment: Callable[[], bool]) -> None:
    """Wait until a moment has come."""
    deadline = time.monotonic() + PATIENCE_S
    while not moment():
        if time.monotonic() > deadline:
            raise TimeoutError("the moment does not come")
        time.sleep(0.05)


@contextlib.contextmanager
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run Xvfb on a free display; programs started meanwhile use it."""
    reader, writer = os.pipe()
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    process = subprocess.Popen(
        command, pass_fds=[writer], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(writer)
    try:
        with os.fdopen(reader) as answer:
            monkeypatch.setenv("DISPLAY", f":{int(answer.readline())}")
        yield
    finally:
        process.terminate()
        process.wait()


def write_wrapper(path: Path, *flags: str) -> Path:
    """Write a program that starts Chromium with more flags."""
    words = " ".join(flags)
    path.write_text(f'#!/bin/sh\nexec {shutil.which("chromium")} "$@" {words}\n')
    path.chmod(0o755)
    return path
