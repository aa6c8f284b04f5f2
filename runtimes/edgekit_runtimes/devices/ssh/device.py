"""A device over SSH: a Raspberry Pi on the desk, or any other 64-bit Linux with Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from edgekit_runtimes.devices import BaseDevice, EngineChoice
from edgekit_runtimes.devices.choices import no_engine, python_engines
from edgekit_runtimes.devices.process import SILENCE_LIMIT_S, WorkerProcess, describe_death
from edgekit_runtimes.devices.ssh.address import parse_address
from edgekit_runtimes.devices.ssh.agent import SIGNAL_BASE
from edgekit_runtimes.devices.ssh.connection import SSH_FAULT, Connection
from edgekit_runtimes.devices.ssh.kept_files import job_files, moved_job
from edgekit_runtimes.devices.ssh.python import find_python
from edgekit_runtimes.devices.ssh.remote import Remote
from edgekit_runtimes.owned.memory import ALL_BUT_RESERVE
from edgekit_runtimes.protocol.job import Event, Job

DEFAULT_PYTHON = "python3"


class Ssh(BaseDevice):
    """The device that "ssh://[user@]host[:port][/path/to/python]" names.

    It needs a 64-bit Python with numpy and an engine, not edgekit. What is copied there is kept by
    hash in ~/.cache/edgekit/device, so that it is copied once. Raises UsageError if the words or
    the Python cannot be used, DeviceError if there is no connection.
    """

    def __init__(
        self,
        spec: str,
        silence_limit_s: float = SILENCE_LIMIT_S,
        memory_bytes: int | None = None,
    ) -> None:
        self._memory = ALL_BUT_RESERVE if memory_bytes is None else str(memory_bytes)
        self.name = spec
        self._silence_limit_s = silence_limit_s
        self._worker: WorkerProcess | None = None
        address = parse_address(spec)
        self._connection = Connection(address)
        try:
            self._python = find_python(self._connection, address, address.python or DEFAULT_PYTHON)
        except BaseException:
            self.close()
            raise
        self._remote = Remote(spec, self._connection, self._python.path)

    def engines_for(self, format: str) -> Sequence[EngineChoice]:  # noqa: A002
        """Return the engines for artifacts of a format there, the preferred one first."""

        def how_to_install(package: str) -> str:
            return f"{package} is not installed there. {self._python.install_line(package)}"

        has = self._python.modules.__contains__
        return python_engines(format, has, how_to_install) or (no_engine(format),)

    def run(self, job: Job) -> Iterator[Event]:
        """Copy what is not there yet, run the job in a new worker process and yield its events.

        A worker that dies is one error event, with the model that was running, and the end. Raises
        ConnectionLostError if the connection drops, DeviceError if nothing can be copied.
        """
        paths = self._remote.keep(job_files(job))
        here = {there: path for path, there in paths.items()}
        worker = self._worker = WorkerProcess(
            self._remote.worker_command(self._memory),
            self._connection.environment,
            self._describe_end,
        )
        try:
            for event in worker.events(moved_job(job, paths), self._silence_limit_s):
                yield _with_paths(event, here)
        finally:
            worker.stop()

    def clean(self) -> None:
        """Remove all that is kept on the device. Raises DeviceError."""
        self._remote.clean()

    def close(self) -> None:
        """Stop the worker if one still runs, and end the connection."""
        if self._worker:
            self._worker.stop()
        self._connection.close()

    def _describe_end(self, code: int | None, stderr: Sequence[str]) -> str:
        """Return how a worker ended, in words. Raises ConnectionLostError."""
        if lost := self._connection.loss_after(code):
            raise lost
        if code is not None and SIGNAL_BASE < code < SSH_FAULT:
            code = SIGNAL_BASE - code
        return describe_death(code, stderr)


def _with_paths(event: Event, paths: Mapping[str, str]) -> Event:
    """Return an event whose message names the paths that the user knows."""
    if event["event"] != "error":
        return event
    message = event["message"]
    for there, path in paths.items():
        message = message.replace(there, path)
    return {**event, "message": message}
