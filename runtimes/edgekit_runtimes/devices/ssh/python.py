"""The Python on a device: whether it can run a worker, and the line that helps if it cannot."""

from __future__ import annotations

import json
import shlex
import subprocess
from dataclasses import dataclass
from typing import Any

from edgekit_runtimes.devices.host.python import (
    OLDEST_PYTHON,
    PROBE,
    PROBE_LIMIT_S,
    probed_modules,
)
from edgekit_runtimes.devices.ssh.address import Address
from edgekit_runtimes.devices.ssh.connection import SSH_FAULT, Connection
from edgekit_runtimes.engines.registry import registered_engines
from edgekit_runtimes.errors import DeviceError, UsageError

# The first user's home, as Raspberry Pi OS names it.
EXAMPLE_PYTHON = "/home/pi/edgekit/bin/python"

# Runs a program that comes ahead of everything else on stdin: nothing of it has to survive the
# quoting of the device's shell. Python 2 understands it too, so that its version is known.
BOOTSTRAP = "import sys;exec(getattr(sys.stdin,'buffer',sys.stdin).read({}))"


@dataclass(frozen=True)
class RemotePython:
    """A Python that can run a worker.

    path: as it was asked for. modules: those of numpy and the engines that it finds.
    """

    path: str
    address: Address
    version: str
    modules: frozenset[str]
    in_environment: bool
    home: str

    def install_line(self, packages: str) -> str:
        """Return what to do to install packages for it.

        Raspberry Pi OS refuses pip outside of a virtual environment, so one is made first.
        """
        path = shlex.quote(self.path)
        if self.in_environment:
            line = f"{path} -m pip install {packages}"
            return f"Install it with: {self.address.typed(remote=line)}"
        line = f"{path} -m venv ~/edgekit && ~/edgekit/bin/pip install {packages}"
        spec = self.address.with_python(f"{self.home}/edgekit/bin/python")
        return f"Install it with: {self.address.typed(remote=line)} and then use {spec}"


def find_python(connection: Connection, address: Address, path: str) -> RemotePython:
    """Return the Python at `path` on the device.

    Raises UsageError, with what to do, if there is none or it cannot run a worker, DeviceError if
    the device runs nothing at all.
    """
    answer = _probe(connection, address, path)
    found = RemotePython(
        path=path,
        address=address,
        version=".".join(map(str, answer["version"])),
        modules=frozenset(answer["found"]),
        in_environment=answer["environment"],
        home=answer["home"],
    )
    described = f"{path} on {address.target} is Python {found.version}"
    if answer["bits"] != 64:
        raise UsageError(
            f"{described} for 32 bits, and the engines come for 64 bits only. Set the device up "
            "with a 64-bit system; Raspberry Pi OS has one for the Raspberry Pi 3 and later."
        )
    if tuple(answer["version"]) < OLDEST_PYTHON:
        oldest = ".".join(map(str, OLDEST_PYTHON))
        raise UsageError(
            f"{described}, and edgekit's worker needs {oldest} to 3.13. Raspberry Pi OS has one "
            "since its version 12 (Bookworm). If the device has another Python, name it, as in "
            f"{address.with_python('/usr/local/bin/python3.11')}."
        )
    missing = [] if "numpy" in found.modules else ["numpy"]
    if not any(found.modules.issuperset(engine.needed_modules) for engine in registered_engines()):
        missing.append("an engine")
    if missing:
        advice = found.install_line("ai-edge-litert numpy")
        raise UsageError(f"{described} without {' and without '.join(missing)}. {advice}")
    return found


def _probe(connection: Connection, address: Address, path: str) -> dict[str, Any]:
    words = [path, "-c", BOOTSTRAP.format(len(PROBE)), *probed_modules()]
    said = "it does not answer"
    try:
        result = subprocess.run(
            connection.command(words),
            input=PROBE,
            capture_output=True,
            text=True,
            errors="replace",
            env=connection.environment,
            timeout=PROBE_LIMIT_S,
        )
        if lost := connection.loss_after(result.returncode):
            raise lost
        lines = [line for line in result.stderr.splitlines() if line.strip()]
        if result.returncode == SSH_FAULT:
            reason = f": {lines[0]}" if lines else ""
            raise DeviceError(
                f"{address.target} runs nothing over the connection{reason}. Its sshd must allow "
                "several sessions per connection (MaxSessions, 10 by default)."
            )
        said = lines[-1].rstrip(".") if lines else said
        answer: dict[str, Any] = json.loads(result.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        raise UsageError(
            f"{path} is not a Python interpreter that runs on {address.target}: {said}. "
            f"Give the path of one, as in {address.with_python(EXAMPLE_PYTHON)}."
        ) from None
    return answer
