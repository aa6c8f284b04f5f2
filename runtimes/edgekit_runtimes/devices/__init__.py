"""Devices: where a job runs. A device is only a way to start a worker and read its events.

Each kind of device is a module or folder here that says its word, how it is opened and how it is
listed. To add one, write such a module and add its name to OURS. Another distribution names its
module as an entry point:

    [project.entry-points."edgekit.devices"]
    nice = "my_package.nice_device"
"""

from __future__ import annotations

import functools
import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, cast, runtime_checkable

from edgekit_runtimes.errors import EngineError, UsageError, first_line, unknown_name
from edgekit_runtimes.plugins import load_plugins, missing_part, warn_of_plugin

if TYPE_CHECKING:
    from edgekit_runtimes.protocol.job import Event, Job, JobModel

GROUP = "edgekit.devices"
# Our own modules, in the order in which they are listed.
OURS = ("host", "node", "board", "ssh", "browser")


NO_OPTIONS: Mapping[str, Any] = {}


@dataclass(frozen=True)
class EngineChoice:
    """An engine of a device that runs a format, or why no engine does.

    word: how results name it ("litert"); None if the device does not have such an engine at all.
    module: as a job names it: a Python module, or the word of an engine of the page ("tfjs"). None
    with the reason where it cannot be used.
    backend: where it computes ("webgl"); None if it has only one place.
    worker: which of the device's workers runs it, where there are several. All models of a job
    have the same one.
    """

    word: str | None
    module: str | None
    reason: str = ""
    backend: str | None = None
    worker: str = ""

    def job_model(self, name: str, path: str, options: Mapping[str, Any] = NO_OPTIONS) -> JobModel:
        """Return an artifact as a job names it, run by this engine.

        Raises EngineError with the reason where it cannot be used.
        """
        # It imports NumPy, which help must not.
        from edgekit_runtimes.protocol.job import JobModel

        if self.module is None:
            raise EngineError(self.reason)
        backend = {"backend": self.backend} if self.backend else {}
        return JobModel(name, self.module, path, {**options, **backend})


@dataclass(frozen=True)
class DeviceOptions:
    """What the words that name a device do not say.

    browser: the path of the browser to measure in, or "none" to open the page by hand. None: the
    installed Chromium.
    memory_bytes: what a worker in Python may allocate; None for what is available where it runs,
    less a reserve (owned/memory.py).
    silence_limit_s: how long a worker may give no sign of life, as in a model's first run; None
    for the device's own limit.
    """

    browser: str | None = None
    memory_bytes: int | None = None
    silence_limit_s: float | None = None


@dataclass(frozen=True)
class KnownDevice:
    """A device, as --on wants it, and whether it can be used from here.

    detail: what is on it, or why it cannot be used and what to do.
    """

    spec: str
    usable: bool
    detail: str


@dataclass(frozen=True)
class HostTool:
    """A program that a kind of device needs on this machine.

    names: under which it may be installed. version: the option that makes it say its version.
    install: how to install it on Debian.
    """

    names: tuple[str, ...]
    version: str
    purpose: str
    install: str


class Device(Protocol):
    """A place where jobs run. A context manager: leaving it stops what still runs there."""

    @property
    def name(self) -> str:
        """The words that open this device ("host")."""

    def engines_for(self, format: str) -> Sequence[EngineChoice]:  # noqa: A002 (the design's word)
        """Return the engines for artifacts of a format here, the preferred one first.

        Those that are not installed come too, with the reason. There is at least one choice.
        """

    def engine_for(self, format: str) -> EngineChoice:  # noqa: A002
        """Return the engine that runs a format here by default, or why no engine does."""

    def run(self, job: Job) -> Iterator[Event]:
        """Send the job and yield its events as they come.

        A worker that dies is one more error event, with the model that was running, and the stream
        ends without a done event. Closing the iterator stops the worker. Raises DeviceError if
        no worker can be started.
        """

    def close(self) -> None:
        """Stop what still runs and release what the device holds."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class BaseDevice(ABC):
    """What every device shares: it is closed when its context ends, and has a default engine."""

    @abstractmethod
    def engines_for(self, format: str) -> Sequence[EngineChoice]:  # noqa: A002
        """Return the engines for artifacts of a format here, as `Device` says."""

    def engine_for(self, format: str) -> EngineChoice:  # noqa: A002
        """Return the first engine that can be used; if there is none, why the first cannot."""
        choices = self.engines_for(format)
        return next((choice for choice in choices if choice.module), choices[0])

    def close(self) -> None:  # noqa: B027 (many devices hold nothing)
        """Release what is held."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


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
        """Make the device ready, which may take minutes; `report` gets the current step.

        Raises UsageError or DeviceError if that fails.
        """

    def run_all(self, jobs: Sequence[Job]) -> Iterator[tuple[int, Event]]:
        """Run jobs one after the other and yield each event with the number of its job.

        As `run` otherwise: a worker that dies ends no other job.
        """


class DeviceKind(Protocol):
    """What the module of a kind of device offers. Importing it imports nothing heavy.

    WORD: the word before the colon. HELP: the words to write, and what for, in --on's help.
    TOOLS (optional): the programs that it needs here, by name, for `edgekit doctor`.
    """

    WORD: str
    HELP: str

    def open_device(self, spec: str, options: DeviceOptions) -> Device:
        """Return the device that the words name. Raises UsageError or DeviceError."""

    def known_devices(self) -> Iterable[KnownDevice]:
        """Return the lines of `edgekit devices`, without starting or asking another machine."""


@functools.cache
def device_kinds() -> Mapping[str, DeviceKind]:
    """Return all kinds of devices by their words, ours before those of other distributions.

    A plug-in that is not a kind of device, or has the word of another one, is a warning on stderr.
    """
    modules = (importlib.import_module(f"{__name__}.{name}") for name in OURS)
    kinds = {name: cast(DeviceKind, module) for name, module in zip(OURS, modules, strict=True)}
    for name, plugin in load_plugins(GROUP):
        if fault := _fault(name, plugin):
            warn_of_plugin(GROUP, name, fault)
        else:
            kinds[name] = plugin
    return kinds


def device_word(spec: str) -> str:
    """Return the first word of a device: "host", "board", "ssh", "browser" or a plug-in's.

    Raises UsageError for any other, with the nearest one suggested.
    """
    word = spec.partition(":")[0]
    if word not in device_kinds():
        meant = _meant(spec)
        if meant is not None:
            raise UsageError(f"Unknown device '{spec}'. Did you mean '{meant}'?")
        raise unknown_name("device", spec, device_kinds())
    return word


def _meant(spec: str) -> str | None:
    """Return the device whose last part, or whose host, somebody wrote alone; None if unclear."""
    ends = [known.spec for known in known_devices() if known.spec.endswith(f":{spec}")]
    if ends:
        return ends[0]
    is_host = "@" in spec or ("." in spec and "/" not in spec)
    return f"ssh://{spec}" if is_host and "ssh" in device_kinds() else None


def open_device(spec: str, options: DeviceOptions | None = None) -> Device:
    """Return the device that the words name: "host", "board:pi5", "ssh://pi@raspberrypi".

    A device over SSH is connected to at once. Raises UsageError if there is no such device, with
    the nearest one suggested, DeviceError if it cannot be reached.
    """
    return device_kinds()[device_word(spec)].open_device(spec, options or DeviceOptions())


def known_devices() -> list[KnownDevice]:
    """Return what can be used from here, and why the rest cannot, this machine first."""
    known: list[KnownDevice] = []
    for word, kind in device_kinds().items():
        try:
            known += kind.known_devices()
        except Exception as error:
            if word in OURS:
                raise
            warn_of_plugin(GROUP, word, f"{type(error).__name__}: {first_line(error)}")
    return known


def host_tools() -> dict[str, HostTool]:
    """Return the programs that all kinds of devices need on this machine, by name."""
    tools: dict[str, HostTool] = {}
    for kind in device_kinds().values():
        tools |= getattr(kind, "TOOLS", {})
    return tools


def _fault(name: str, plugin: Any) -> str:
    """Return why an object cannot be the kind of device of this word; "" if it can."""
    if name in OURS:
        return "edgekit has a device of this name"
    if missing := missing_part(plugin, ("WORD", "HELP"), ("open_device", "known_devices")):
        return missing
    if not isinstance(getattr(plugin, "TOOLS", {}), Mapping):
        return "its TOOLS are not a mapping"
    return "" if name == plugin.WORD else f"its WORD is '{plugin.WORD}'"
