"""Jobs as tasks of a guest: each is a separate worker process, and they share their files."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path

import edgekit_runtimes
from edgekit_runtimes.devices.board.initramfs import Archive
from edgekit_runtimes.devices.board.userland_contents import PACKAGES_FOLDER, TFLITE_RUNTIME_FOLDER
from edgekit_runtimes.devices.ssh.kept_files import moved_job
from edgekit_runtimes.protocol.job import Job

TFLITE_RUNTIME_ENGINE = "edgekit_runtimes.engines.tflite_runtime"

# Where edgekit_runtimes is in the guest.
GROUND_FLOOR = "edgekit"


def python_command(packages: str) -> str:
    """Return the shell's words that start the guest's Python with one folder of packages."""
    return f"PYTHONPATH=/{GROUND_FLOOR}:/{packages} exec python3 -P"


def add_ground_floor(archive: Archive) -> None:
    """Add edgekit_runtimes as it is here, so that a change to it needs no new userland."""
    package = Path(edgekit_runtimes.__file__).parent
    for file in sorted(package.rglob("*")):
        if file.suffix in (".py", ".json"):
            name = file.relative_to(package.parent).as_posix()
            archive.add_file(f"{GROUND_FLOOR}/{name}", file.read_bytes())


class JobTasks:
    """What jobs need in the guest: their files, and themselves with the paths changed."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = jobs
        paths = [
            *(path for job in jobs for path in job.inputs.values()),
            *(model.path for job in jobs for model in job.models),
        ]
        self._paths: Mapping[str, str] = {
            path: f"files/{number}/{Path(path).name}"
            for number, path in enumerate(dict.fromkeys(paths))
        }

    @property
    def bytes(self) -> int:
        """The size of all files."""
        return sum(Path(path).stat().st_size for path in self._paths if Path(path).is_file())

    @property
    def needs_tflite_runtime(self) -> bool:
        """Whether a job names that engine."""
        return any(_is_for_tflite_runtime(job) for job in self._jobs)

    def write(self, archive: Archive) -> None:
        """Write everything as tasks of the guest."""
        add_ground_floor(archive)
        for module in {model.engine for job in self._jobs for model in job.models}:
            _add_engine(archive, module)
        for path, name in self._paths.items():
            # The worker reports what is missing.
            if Path(path).is_file():
                archive.add_file(name, Path(path).read_bytes())
        moved = {path: f"/{name}" for path, name in self._paths.items()}
        for number, job in enumerate(self._jobs):
            folder = TFLITE_RUNTIME_FOLDER if _is_for_tflite_runtime(job) else PACKAGES_FOLDER
            command = f"{python_command(folder)} -m edgekit_runtimes.worker job.json\n"
            archive.add_file(f"tasks/{number}/run", command.encode())
            archive.add_file(f"tasks/{number}/job.json", moved_job(job, moved).to_json().encode())

    def with_host_paths(self, text: str) -> str:
        """Return a message from the guest with the paths that the user knows."""
        for path, name in self._paths.items():
            text = text.replace(f"/{name}", path)
        return text


def _is_for_tflite_runtime(job: Job) -> bool:
    """Whether a job runs with tflite-runtime and the older numpy that it needs."""
    return any(model.engine == TFLITE_RUNTIME_ENGINE for model in job.models)


def _add_engine(archive: Archive, module: str) -> None:
    """Add an engine that is a separate module, outside our packages."""
    spec = None if "." in module else importlib.util.find_spec(module)
    if spec and spec.origin:
        archive.add_file(f"{GROUND_FLOOR}/{module}.py", Path(spec.origin).read_bytes())
