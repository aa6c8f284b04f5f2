"""This machine as a device: a worker in Python, and one under Node for what only pages run."""

from __future__ import annotations

import importlib.util
import os
import site
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from edgekit_runtimes.devices import BaseDevice, EngineChoice
from edgekit_runtimes.devices.choices import no_engine, python_engines
from edgekit_runtimes.devices.host.python import find_modules, is_here
from edgekit_runtimes.devices.node.device import Node
from edgekit_runtimes.devices.node.engines import NODE_ENGINES, node_engines
from edgekit_runtimes.devices.process import SILENCE_LIMIT_S, WorkerProcess
from edgekit_runtimes.errors import DeviceError
from edgekit_runtimes.owned.folder import temporary_folder, temporary_root
from edgekit_runtimes.owned.memory import ALL_BUT_RESERVE
from edgekit_runtimes.protocol.job import Event, Job


class Host(BaseDevice):
    """This machine, with our own Python or the one at `python`.

    Another Python needs numpy and an engine, not edgekit: it gets edgekit_runtimes and nothing else
    of ours. Raises UsageError if `python` cannot run it. It stands for its own engines only: what
    runs under Node belongs to our own Python's host.

    launcher: a command that starts the worker ("nice -n 10"), for devices that wrap this one.
    memory_bytes: what a worker may allocate; None for all that is available, less a reserve.
    """

    def __init__(
        self,
        python: str | None = None,
        silence_limit_s: float = SILENCE_LIMIT_S,
        launcher: Sequence[str] = (),
        memory_bytes: int | None = None,
    ) -> None:
        self.name = f"host:{python}" if python else "host"
        self._silence_limit_s = silence_limit_s
        self._other = python
        self._launcher = tuple(launcher)
        self._memory = ALL_BUT_RESERVE if memory_bytes is None else str(memory_bytes)
        self._found = find_modules(python) if python else None
        self._worker: WorkerProcess | None = None
        self._node = Node(self.name, None, silence_limit_s, launcher)
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def engines_for(self, format: str) -> Sequence[EngineChoice]:  # noqa: A002
        """Return the engines for artifacts of a format here, the preferred one first."""
        pip = f"{self._other} -m pip install" if self._other else "pip install"

        def how_to_install(package: str) -> str:
            return f"{package} is not installed. Install it with: {pip} {package}"

        has = is_here if self._found is None else self._found.__contains__
        under_node = () if self._other else node_engines(format)
        choices = (*python_engines(format, has, how_to_install), *under_node)
        return choices or (no_engine(format),)

    def run(self, job: Job) -> Iterator[Event]:
        """Run the job in a new worker process and yield its events.

        A worker that dies is one error event, with the model that was running, and the end.
        Raises DeviceError if the models need two workers.
        """
        under_node = {model.engine in NODE_ENGINES for model in job.models}
        if under_node == {True, False}:
            names = ", ".join(model.id for model in job.models)
            raise DeviceError(
                f"{names}: some run under Node and some in Python. Send them in two jobs."
            )
        if True in under_node:
            yield from self._node.run(job)
            return
        python = [self._other or sys.executable, "-P", "-m", "edgekit_runtimes.worker", "-"]
        command = [*self._launcher, *python, self._memory]
        worker = self._worker = WorkerProcess(command, self._environment())
        try:
            yield from worker.events(job, self._silence_limit_s)
        finally:
            worker.stop()

    def close(self) -> None:
        """Stop the worker if one still runs."""
        if self._worker:
            self._worker.stop()
        self._node.close()
        if self._folder:
            self._folder.cleanup()
            self._folder = None

    def _environment(self) -> dict[str, str]:
        # What engines leave behind goes with this run.
        environment = {**os.environ, "TMPDIR": str(temporary_root())}
        if self._other:
            # Nothing of our Python may leak: its numpy is of another version.
            environment.pop("PYTHONHOME", None)
            environment["PYTHONPATH"] = self._hand_over()
        else:
            paths = [*_package_folders(), *environment.get("PYTHONPATH", "").split(os.pathsep)]
            environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        return environment

    def _hand_over(self) -> str:
        """Return a folder that holds edgekit_runtimes and nothing else."""
        if self._folder is None:
            self._folder = temporary_folder()
            package = Path(__file__).resolve().parents[2]
            (Path(self._folder.name) / package.name).symlink_to(package)
        return self._folder.name


def _package_folders() -> list[str]:
    """Return the folders of our packages that a new interpreter would not find on its own.

    edgekit_converters holds the engine of the original. A folder of installed packages must not
    come before the standard library.
    """
    installed = {*site.getsitepackages(), site.getusersitepackages()}
    specs = [importlib.util.find_spec(name) for name in ("edgekit_runtimes", "edgekit_converters")]
    origins = [Path(spec.origin) for spec in specs if spec and spec.origin]
    folders = [str(origin.parent.parent) for origin in origins]
    return [folder for folder in dict.fromkeys(folders) if folder not in installed]
