"""Devices: where a job runs. A device is only a way to start a worker and read its events."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Protocol, Self, runtime_checkable

from edgekit_runtimes.errors import UsageError, unknown_name
from edgekit_runtimes.protocol.job import Event, Job


@dataclass(frozen=True)
class EngineChoice:
    """The engine that runs a format on a device.

    module: as a job names it: a Python module, or the word of an engine of the page ("tfjs"). None
    with the reason where no engine does.
    backend: where that engine computes ("webgl"); None where an engine has only one place.
    """

    module: str | None
    reason: str = ""
    backend: str | None = None

    @property
    def word(self) -> str | None:
        """How results name the engine ("litert"), None where there is none."""
        from edgekit_runtimes.engines import load_engine

        if self.module is None or "." not in self.module:
            return self.module
        return load_engine(self.module).NAME


@dataclass(frozen=True)
class DeviceOptions:
    """What the words of a device do not say.

    browser: the path of the browser to measure in, or "none" to open the page oneself. None: the
    installed Chromium.
    """

    browser: str | None = None


class ClosedOnExit:
    """A context manager whose `close` is called when it is left."""

    def close(self) -> None:
        """Give back what is held."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Device(Protocol):
    """A place where jobs run. A context manager: leaving it stops what still runs there."""

    @property
    def name(self) -> str:
        """The words that open this device ("host")."""

    def engine_for(self, format: str) -> EngineChoice:  # noqa: A002 (the word of DESIGN.md)
        """Return the engine that runs artifacts of a format here, or why none does."""

    def run(self, job: Job) -> Iterator[Event]:
        """Send the job and yield its events as they come.

        A worker that dies is one more error event, with the model that it was at, and the stream
        ends without a done event. Closing the iterator stops the worker. Raises DeviceError where
        no worker can be started.
        """

    def close(self) -> None:
        """Stop what still runs and give back what the device holds."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


@runtime_checkable
class KeepingDevice(Device, Protocol):
    """A device that keeps what is copied to it, so that it is copied once."""

    def clean(self) -> None:
        """Remove all that is kept there. Raises DeviceError."""


@runtime_checkable
class CountingDevice(Device, Protocol):
    """A device that counts instructions: what its worker reports in ns are instructions.

    Such a count repeats, and starting the device takes long: it runs many jobs at a time.
    """

    @property
    def unit(self) -> Literal["instructions"]:
        """What its clock counts."""

    def prepare(self, report: Callable[[str], None]) -> None:
        """Make the device ready, which may take minutes; `report` gets the step at hand.

        Raises UsageError or DeviceError where that fails.
        """

    def run_all(self, jobs: Sequence[Job]) -> Iterator[tuple[int, Event]]:
        """Run jobs one after the other and yield each event with the number of its job.

        As `run` otherwise: a worker that dies takes no other job along.
        """


def device_word(spec: str) -> str:
    """Return the first word of a device: "host", "board", "ssh" or "browser".

    Raises UsageError for any other, with the nearest one suggested.
    """
    word = spec.partition(":")[0]
    if word not in _DEVICES:
        raise unknown_name("device", spec, _DEVICES)
    return word


def open_device(spec: str, options: DeviceOptions | None = None) -> Device:
    """Return the device that the words name: "host", "board:pi5", "ssh://pi@raspberrypi".

    One over SSH is connected to at once. Raises UsageError where there is no such device, with the
    nearest one suggested, DeviceError where it cannot be reached.
    """
    argument = spec.partition(":")[2]
    return _DEVICES[device_word(spec)](spec, argument, options or DeviceOptions())


def _host(spec: str, argument: str, options: DeviceOptions) -> Device:
    from edgekit_runtimes.devices.host import Host

    if not argument and spec != "host":
        raise UsageError(f"Device '{spec}' names no Python. Write host or host:/path/to/python.")
    return Host(argument or None)


def _board(spec: str, argument: str, options: DeviceOptions) -> Device:
    from edgekit_runtimes.devices.board import BOARDS
    from edgekit_runtimes.devices.board.device import Board

    if not argument:
        known = ", ".join(f"board:{name}" for name in BOARDS)
        raise UsageError(f"Device '{spec}' names no board. Write {known}.")
    return Board(argument)


def _ssh(spec: str, argument: str, options: DeviceOptions) -> Device:
    from edgekit_runtimes.devices.ssh.device import Ssh

    return Ssh(spec)


def _browser(spec: str, argument: str, options: DeviceOptions) -> Device:
    from edgekit_runtimes.devices.browser.device import Browser

    return Browser(spec, options.browser)


# What the word before the colon opens, given the whole spec and what stands behind the colon.
_DEVICES: Mapping[str, Callable[[str, str, DeviceOptions], Device]] = {
    "host": _host,
    "board": _board,
    "ssh": _ssh,
    "browser": _browser,
}
