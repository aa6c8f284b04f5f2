"""nice:host: this machine at the lowest priority, so that a bench does not disturb others.

A device module imports nothing heavy outside its functions: `edgekit bench --help` reads it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from edgekit_runtimes.devices import (
    BaseDevice,
    Device,
    DeviceOptions,
    EngineChoice,
    KnownDevice,
)
from edgekit_runtimes.errors import UsageError

if TYPE_CHECKING:
    from edgekit_runtimes.devices.host.device import Host
    from edgekit_runtimes.protocol.job import Event, Job

WORD = "nice"
HELP = "nice:host[:/path/to/python] for this machine at the lowest priority"

LOWEST_PRIORITY = ("nice", "-n", "19")


def open_device(spec: str, options: DeviceOptions) -> Device:
    """Return the device that the words name. Raises UsageError."""
    from edgekit_runtimes.devices.host.device import Host

    _, host, python = (*spec.split(":", 2), "", "")[:3]
    if host != "host":
        raise UsageError(f"Device '{spec}' is not understood. Write nice:host.")
    return NiceHost(spec, Host(python or None, launcher=LOWEST_PRIORITY))


def known_devices() -> Iterator[KnownDevice]:
    """Return the line of `edgekit devices`."""
    found = shutil.which("nice") is not None
    yield KnownDevice("nice:host", found, "host at the lowest priority" if found else "needs nice")


class NiceHost(BaseDevice):
    """A device around another one: it has the other's engines and runs the other's worker."""

    def __init__(self, name: str, host: Host) -> None:
        self.name = name
        self._host = host

    def engines_for(self, format: str) -> Sequence[EngineChoice]:  # noqa: A002
        """Return the engines of the host."""
        return self._host.engines_for(format)

    def run(self, job: Job) -> Iterator[Event]:
        """Run the job in a worker of the host."""
        return self._host.run(job)

    def close(self) -> None:
        """Stop the worker if one still runs."""
        self._host.close()
