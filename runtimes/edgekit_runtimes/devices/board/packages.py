"""Fetch what a userland is made of, from the machine's own apt sources and package index.

apt works on a separate root with an empty status file: the system's apt and dpkg are only read
(sources and keys), and no root is needed. apt checks signatures and hashes, pip checks hashes.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgekit_runtimes.devices.board.userland_contents import (
    ARCHITECTURE,
    GLIBC_MINORS,
    KERNEL_PACKAGE,
    NEWEST_TFLITE_RUNTIME_PYTHON,
    PYTHON_PACKAGE,
    ROOT_PACKAGES,
    TFLITE_RUNTIME_FOLDER,
    USERLAND_PACKAGES,
    WHEELS,
)
from edgekit_runtimes.errors import DeviceError, UsageError

TOOLS = {"apt-get": "apt", "dpkg-deb": "dpkg"}

# How apt-get --simulate names a package that it would install, and the version.
SIMULATED = re.compile(r"^Inst (\S+) (?:\[\S+\] )?\((\S+)", re.MULTILINE)


@dataclass(frozen=True)
class DebianPackages:
    """Debian packages by name, with the version of each; `python` is the guest's ("3.11")."""

    python: str
    kernel: str
    userland: Mapping[str, str]
    versions: Mapping[str, str]


def check_tools() -> None:
    """Raise UsageError if the host is not one that boards can be built on."""
    for tool, package in TOOLS.items():
        if shutil.which(tool) is None:
            raise UsageError(
                f"Building a board needs {tool} (package {package}): it is made of Debian's own "
                f"packages. {_ELSEWHERE}"
            )


_ELSEWHERE = (
    "Build it on Debian 12 or 13 with `edgekit board build`, then copy the result: "
    "scp -r DEBIAN:.cache/edgekit ~/.cache/"
)


class Apt:
    """apt-get for ARM64 in its own folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for name in ("state/lists/partial", "cache/archives/partial"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "status").touch()
        settings = {
            "Dir::State": folder / "state",
            "Dir::State::Lists": folder / "state/lists",
            "Dir::State::status": folder / "status",
            "Dir::Cache": folder / "cache",
            "APT::Architecture": ARCHITECTURE,
            "APT::Architectures": ARCHITECTURE,
            "APT::Get::List-Cleanup": "false",
        }
        words = [f"{name}={value}" for name, value in settings.items()]
        self._command = ["apt-get", "-q", *(part for word in words for part in ("-o", word))]

    def resolve(self) -> DebianPackages:
        """Return the packages that this machine's sources offer.

        Raises DeviceError if they cannot be reached, UsageError if they hold none for
        ARM64.
        """
        said = self._run(["update"])
        plan = self._try(["--simulate", "--no-install-recommends", "install", *ROOT_PACKAGES])
        versions = dict(SIMULATED.findall(plan.stdout))
        pythons = [
            match[1] for match in map(re.compile(PYTHON_PACKAGE).fullmatch, versions) if match
        ]
        kernels = [name for name in versions if re.fullmatch(KERNEL_PACKAGE, name)]
        if plan.returncode != 0 or not pythons or not kernels:
            hint = _last_line(plan.stderr) or _last_line(said)
            raise UsageError(
                f"This machine's apt sources hold no {ARCHITECTURE} packages of Debian's ({hint}). "
                f"Ubuntu's do not. {_ELSEWHERE}"
            )
        userland = {
            name: version
            for name, version in versions.items()
            if any(re.fullmatch(pattern, name) for pattern in USERLAND_PACKAGES)
        }
        return DebianPackages(pythons[0], kernels[0], userland, versions)

    def download(self, names: Sequence[str]) -> dict[str, Path]:
        """Fetch packages; what is already there and complete is not fetched again."""
        folder = self._folder / "debs"
        folder.mkdir(exist_ok=True)
        self._run(["download", *names], folder)
        files = {file.name.split("_")[0]: file for file in folder.glob("*.deb")}
        return {name: files[name] for name in names}

    def _run(self, words: Sequence[str], folder: Path | None = None) -> str:
        answer = self._try(words, folder)
        if answer.returncode != 0:
            raise DeviceError(
                f"apt-get {words[0]} failed: {_last_line(answer.stderr)}. "
                "What was fetched is kept: build again to continue."
            )
        return answer.stderr

    def _try(
        self, words: Sequence[str], folder: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        return _run([*self._command, *words], folder or self._folder)


def download_wheels(
    folder: Path, python: str, versions: Mapping[str, str]
) -> dict[str, list[Path]]:
    """Fetch the wheels of each folder in the guest, for the guest's Python.

    versions: those wanted; if the index has no such version for this Python, its newest is taken.
    Raises DeviceError if pip or the index fails.
    """
    groups = dict(WHEELS)
    if tuple(map(int, python.split("."))) > NEWEST_TFLITE_RUNTIME_PYTHON:
        del groups[TFLITE_RUNTIME_FOLDER]
    wheels: dict[str, list[Path]] = {}
    for group, names in groups.items():
        pinned = [f"{name}=={versions[name]}" if name in versions else name for name in names]
        # In their own folder, so that no other versions are among them.
        target = folder / ",".join(pinned)
        answer = pip_download(target, python, pinned)
        if "No matching distribution" in answer.stderr:
            target = folder / ",".join(names)
            answer = pip_download(target, python, names)
        if answer.returncode != 0:
            raise DeviceError(
                f"pip cannot fetch {', '.join(names)} for Python {python} on ARM64: "
                f"{_last_line(answer.stderr)}. What was fetched is kept: build again to continue."
            )
        # Of a name without a version, an interrupted build may have left an older one.
        by_age = sorted(target.glob("*.whl"), key=lambda wheel: wheel.stat().st_mtime)
        wheels[group] = list({wheel_version(wheel)[0]: wheel for wheel in by_age}.values())
    return wheels


def pip_download(
    target: Path, python: str, requirements: Sequence[str]
) -> subprocess.CompletedProcess[str]:
    """Fetch wheels for a Python on ARM64 into a folder, without their dependencies."""
    target.mkdir(parents=True, exist_ok=True)
    platforms = [f"manylinux_2_{minor}_aarch64" for minor in GLIBC_MINORS]
    platforms += ["manylinux2014_aarch64"]
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
        *("--no-deps", "--only-binary=:all:", "--implementation", "cp"),
        *("--python-version", python, "--dest", str(target)),
        *(word for name in platforms for word in ("--platform", name)),
        *requirements,
    ]
    return _run(command, target)


def wheel_version(wheel: Path) -> tuple[str, str]:
    """Return the distribution's name and version, as its file name says."""
    name, version = wheel.name.split("-")[:2]
    return name.replace("_", "-"), version


def _run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        # Messages are compared with English words.
        env={**os.environ, "LC_ALL": "C"},
    )


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("E:", "ERROR:"))]
    return (errors or lines or [""])[-1]
