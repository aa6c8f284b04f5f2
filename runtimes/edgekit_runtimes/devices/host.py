"""This machine: the worker runs in our own interpreter, or in another one on this machine."""

from __future__ import annotations

import importlib.util
import json
import os
import site
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from edgekit_runtimes.devices import ClosedOnExit, EngineChoice
from edgekit_runtimes.devices.process import SILENCE_LIMIT_S, WorkerProcess
from edgekit_runtimes.engines import ENGINES, load_engine, root_module
from edgekit_runtimes.errors import UsageError
from edgekit_runtimes.protocol.job import Event, Job

OLDEST_PYTHON = (3, 11)

# A cold start from a slow disk takes seconds; what needs longer is no Python waiting for -c.
PROBE_LIMIT_S = 60

TFJS_REASON = "needs browser:webgl, browser:wasm, browser:webgpu or browser:cpu"

# Run by the other Python, of whatever version: tells what it is and which modules it finds. The
# first entry of the path, the current folder, holds nothing of that Python.
PROBE = """
import json, os, sys
del sys.path[0]
answer = {"version": list(sys.version_info[:3]), "found": []}
answer["bits"] = 64 if sys.maxsize > 2**32 else 32
answer["environment"] = sys.prefix != getattr(sys, "base_prefix", sys.prefix)
answer["home"] = os.path.expanduser("~")
if sys.version_info >= (3, 11):
    from importlib.util import find_spec
    answer["found"] = [name for name in sys.argv[1:] if find_spec(name) is not None]
print(json.dumps(answer))
"""


class Host(ClosedOnExit):
    """This machine, with our own Python or the one at `python`.

    Another Python needs numpy and an engine, not edgekit: our ground floor is handed over to it,
    and nothing else of ours. Raises UsageError where `python` cannot run it.
    """

    def __init__(self, python: str | None = None, silence_limit_s: float = SILENCE_LIMIT_S) -> None:
        self.name = f"host:{python}" if python else "host"
        self._silence_limit_s = silence_limit_s
        self._other = python
        self._found = _probe(python) if python else None
        self._worker: WorkerProcess | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def engine_for(self, format: str) -> EngineChoice:  # noqa: A002 (the word of DESIGN.md)
        """Return the engine that runs artifacts of a format here, or why none does."""
        if format not in ENGINES:
            return EngineChoice(None, TFJS_REASON)
        engines = {module: load_engine(module) for module in ENGINES[format]}
        for module, engine in engines.items():
            if self._has(root_module(engine)):
                return EngineChoice(module)
        package = next(iter(engines.values())).PACKAGE
        pip = f"{self._other} -m pip install" if self._other else "pip install"
        return EngineChoice(None, f"{package} is not installed. Install it with: {pip} {package}")

    def run(self, job: Job) -> Iterator[Event]:
        """Run the job in a new worker process and yield its events.

        A worker that dies is one error event, with the model that it was at, and the end.
        """
        command = [self._other or sys.executable, "-P", "-m", "edgekit_runtimes.worker", "-"]
        worker = self._worker = WorkerProcess(command, self._environment())
        try:
            yield from worker.events(job, self._silence_limit_s)
        finally:
            worker.stop()

    def close(self) -> None:
        """Stop the worker where one still runs."""
        if self._worker:
            self._worker.stop()
        if self._folder:
            self._folder.cleanup()
            self._folder = None

    def _has(self, module: str) -> bool:
        if self._found is not None:
            return module in self._found
        return importlib.util.find_spec(module) is not None

    def _environment(self) -> dict[str, str]:
        environment = dict(os.environ)
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
            self._folder = tempfile.TemporaryDirectory(prefix="edgekit-")
            package = Path(__file__).resolve().parent.parent
            (Path(self._folder.name) / package.name).symlink_to(package)
        return self._folder.name


def _package_folders() -> list[str]:
    """Return the folders of our packages that a new interpreter would not find by itself.

    edgekit_converters holds the engine of the original. A folder of installed packages must not
    come before the standard library.
    """
    installed = {*site.getsitepackages(), site.getusersitepackages()}
    specs = [importlib.util.find_spec(name) for name in ("edgekit_runtimes", "edgekit_converters")]
    origins = [Path(spec.origin) for spec in specs if spec and spec.origin]
    folders = [str(origin.parent.parent) for origin in origins]
    return [folder for folder in dict.fromkeys(folders) if folder not in installed]


def _probe(python: str) -> frozenset[str]:
    """Return which of the modules that matter a Python finds.

    Raises UsageError where `python` is none, is too old or has no numpy.
    """
    if Path(python).is_dir():
        raise UsageError(f"{python} is a folder. Give the Python in it, as in {python}/bin/python.")
    answer = _ask(python, probed_modules())
    version = tuple(answer["version"])
    if version < OLDEST_PYTHON:
        raise UsageError(
            f"{python} is Python {'.'.join(map(str, version))}; edgekit's worker needs "
            f"{'.'.join(map(str, OLDEST_PYTHON))} or newer."
        )
    if "numpy" not in answer["found"]:
        raise UsageError(
            f"{python} has no numpy. Install it with: {python} -m pip install numpy "
            "(tflite-runtime wants 'numpy<2')"
        )
    return frozenset(answer["found"])


def probed_modules() -> list[str]:
    """Return the modules that PROBE looks for: numpy and what the engines run on."""
    engines = [load_engine(module) for modules in ENGINES.values() for module in modules]
    return ["numpy", *(root_module(engine) for engine in engines)]


def _ask(python: str, names: list[str]) -> Mapping[str, Any]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONHOME", "PYTHONPATH")
    }
    said = "it does not answer"
    try:
        result = subprocess.run(
            [python, "-c", PROBE, *names],
            capture_output=True,
            text=True,
            errors="replace",
            env=environment,
            timeout=PROBE_LIMIT_S,
        )
        said = result.stderr.strip().split("\n")[-1] or said
        answer: dict[str, Any] = json.loads(result.stdout)
    except OSError as error:
        raise _no_python(python, error.strerror or str(error)) from error
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise _no_python(python, said) from error
    return answer


def _no_python(python: str, reason: str) -> UsageError:
    return UsageError(
        f"{python} is no Python interpreter that runs here: {reason}. "
        "Give the path of one, as in host:/path/to/venv/bin/python."
    )
