"""Node as a device: it runs the worker that pages run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from edgekit_runtimes.devices import BaseDevice, EngineChoice
from edgekit_runtimes.devices.choices import no_engine
from edgekit_runtimes.devices.node.engines import node_engines
from edgekit_runtimes.devices.node.program import WORKER, find_node
from edgekit_runtimes.devices.process import SILENCE_LIMIT_S, WorkerProcess, describe_death
from edgekit_runtimes.environment import describe_environment
from edgekit_runtimes.protocol.job import Event, Job

# What the environment says of our own Python, which has no part in this.
PYTHON_FACTS = ("python", "numpy", "clock_resolution_ns")

# What a page reports apart from loading: the way of the files to it, and the start of the engine.
PAGE_TIMES = ("download_ns", "start_ns")

# Begins the line by which Node says why it aborts; the native stack comes after it.
FATAL = "FATAL ERROR"


class Node(BaseDevice):
    """The device that "node[:wasm|cpu]" names: TF.js under Node, on this machine.

    backend: None for the one that each engine takes by default. launcher: a command that starts
    the worker ("nice -n 10"), for devices that wrap this one.
    """

    def __init__(
        self,
        spec: str = "node",
        backend: str | None = None,
        silence_limit_s: float = SILENCE_LIMIT_S,
        launcher: Sequence[str] = (),
    ) -> None:
        self.name = spec
        self._backend = backend
        self._silence_limit_s = silence_limit_s
        self._launcher = tuple(launcher)
        self._worker: WorkerProcess | None = None

    def engines_for(self, format: str) -> Sequence[EngineChoice]:  # noqa: A002
        """Return the engines for artifacts of a format here, the preferred one first."""
        return node_engines(format, self._backend) or [no_engine(format)]

    def run(self, job: Job) -> Iterator[Event]:
        """Run the job in a new process and yield its events.

        A worker that dies is one error event, with the model that was running, and the end.
        Raises UsageError if there is no Node.
        """
        command = [*self._launcher, find_node().path, str(WORKER)]
        worker = self._worker = WorkerProcess(command, os.environ, _describe_death)
        try:
            for event in worker.events(job, self._silence_limit_s):
                yield _finished(event)
        finally:
            worker.stop()

    def close(self) -> None:
        """Stop the worker if one still runs."""
        if self._worker:
            self._worker.stop()


def _finished(event: Event) -> Event:
    """Return an event of a page's worker as a worker on this machine says it."""
    if event["event"] == "environment":
        machine = describe_environment()
        facts = {name: value for name, value in machine.items() if name not in PYTHON_FACTS}
        return {**facts, **event, "platform": machine["platform"]}
    if event["event"] == "loaded":
        # Nothing is downloaded: reading the files is a part of loading, as it is in Python.
        rest = {name: event[name] for name in event if name not in PAGE_TIMES}
        return {**rest, "ns": event["ns"] + event["download_ns"]}
    return event


def _describe_death(code: int | None, stderr: Sequence[str]) -> str:
    fatal = [line for line in stderr if line.startswith(FATAL)]
    return describe_death(code, fatal or stderr)
