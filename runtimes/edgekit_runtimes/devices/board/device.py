"""An emulated board: the worker runs in a guest whose clock counts instructions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from edgekit_runtimes.devices import BaseDevice, EngineChoice
from edgekit_runtimes.devices.board import BOARDS
from edgekit_runtimes.devices.board.build import ensure_userland
from edgekit_runtimes.devices.board.cache import KERNEL, TFLITE_RUNTIME, USERLAND, Userland
from edgekit_runtimes.devices.board.guest import (
    MEMORY_MB,
    SILENCE_LIMIT_S,
    Guest,
    TaskEnd,
    TaskLine,
    TaskStart,
    check_qemu,
    qemu_version,
)
from edgekit_runtimes.devices.board.tasks import JobTasks
from edgekit_runtimes.devices.choices import no_engine
from edgekit_runtimes.devices.process import describe_death
from edgekit_runtimes.errors import DeviceError, unknown_name
from edgekit_runtimes.formats import FORMATS
from edgekit_runtimes.protocol.events import named_last
from edgekit_runtimes.protocol.job import Event, Job

# During the boot everything is in memory twice: as the archive and as files.
COPIES = 2
# Left for the kernel, Python and the engine.
RESERVED_BYTES = 400_000_000


class Board(BaseDevice):
    """An emulated Raspberry Pi: "pi3", "pi4" or "pi5".

    Raises UsageError if there is no such board or QEMU is missing. The userland is built for the
    first job, or by `prepare`.
    """

    unit: Final = "instructions"

    def __init__(self, board: str, silence_limit_s: float = SILENCE_LIMIT_S) -> None:
        if board not in BOARDS:
            raise unknown_name("board", board, BOARDS)
        check_qemu()
        self.name = f"board:{board}"
        self._board = BOARDS[board]
        self._silence_limit_s = silence_limit_s
        self._userland: Userland | None = None
        self._guest: Guest | None = None

    def engines_for(self, format: str) -> Sequence[EngineChoice]:  # noqa: A002
        """Return the engines of the userland for a format, the preferred one first.

        Those of other distributions are not in it.
        """
        engines = FORMATS[format].engines if format in FORMATS else {}
        choices = [EngineChoice(word, module) for word, module in engines.items()]
        return choices or [no_engine(format)]

    def prepare(self, report: Callable[[str], None]) -> None:
        """Build the userland if there is none; `report` gets the current step.

        Raises UsageError or DeviceError if it cannot be built.
        """
        if self._userland is None:
            self._userland = ensure_userland(report)

    def run(self, job: Job) -> Iterator[Event]:
        """Boot the board for one job and yield its events."""
        for _, event in self.run_all([job]):
            yield event

    def run_all(self, jobs: Sequence[Job]) -> Iterator[tuple[int, Event]]:
        """Boot the board once for all jobs; yield each event with the number of its job.

        Each job has its own worker process. A job whose worker dies, or at which the board
        panics or hangs, gets an error event; after the latter the board is booted again for the
        remaining jobs. Raises DeviceError if the board does not boot at all.
        """
        self.prepare(lambda step: None)
        waiting = list(range(len(jobs)))
        while waiting:
            batch = self._fitting(jobs, waiting)
            if not batch:
                number = waiting.pop(0)
                yield number, _error(None, self._too_large(jobs[number]))
                continue
            yield from self._boot(jobs, batch, waiting)

    def close(self) -> None:
        """Stop the board where it still runs."""
        if self._guest:
            self._guest.stop()
            self._guest = None

    def _boot(
        self, jobs: Sequence[Job], batch: Sequence[int], waiting: list[int]
    ) -> Iterator[tuple[int, Event]]:
        """Boot for the jobs numbered in `batch`; those that ended leave `waiting`."""
        tasks = JobTasks([jobs[number] for number in batch])
        current: int | None = None
        model: str | None = None
        done = False
        self._guest = Guest(
            self._board, self._whole().folder / KERNEL, self._archives(tasks), tasks.write
        )
        try:
            for message in self._guest.messages(self._silence_limit_s):
                number = batch[message.task]
                if isinstance(message, TaskStart):
                    current, model, done = number, None, False
                elif isinstance(message, TaskLine):
                    event: Event = json.loads(message.text)
                    model = named_last(event, model)
                    done = event["event"] == "done"
                    yield number, self._finished(event, tasks)
                elif isinstance(message, TaskEnd):
                    current = None
                    waiting.remove(number)
                    if not done:
                        reason = describe_death(message.code, message.stderr)
                        yield number, _error(model, reason, message.stderr)
        except DeviceError as error:
            if current is None:
                raise
            waiting.remove(current)
            yield current, _error(model, str(error))
        finally:
            self._guest.stop()

    def _finished(self, event: Event, tasks: JobTasks) -> Event:
        if event["event"] == "environment":
            cpu = f"{self._board.cpu} of a {self._board.title}, emulated by {qemu_version()}"
            return {**event, "cpu": cpu, "unit": self.unit}
        if event["event"] == "error":
            return {**event, "message": tasks.with_host_paths(event["message"])}
        return event

    def _fitting(self, jobs: Sequence[Job], waiting: Sequence[int]) -> list[int]:
        """Return as many of the waiting jobs, from the first on, as fit into the memory."""
        batch: list[int] = []
        for number in waiting:
            together = JobTasks([jobs[other] for other in (*batch, number)])
            if together.bytes > self._room(together):
                break
            batch.append(number)
        return batch

    def _room(self, tasks: JobTasks) -> int:
        """Return how many bytes of files a boot can take along."""
        packed = sum(path.stat().st_size for path in self._archives(tasks))
        return (MEMORY_MB * 2**20 - RESERVED_BYTES) // COPIES - packed

    def _too_large(self, job: Job) -> str:
        tasks = JobTasks([job])
        return (
            f"the model and its samples are {tasks.bytes / 1e6:.0f} MB, and the emulated board "
            f"has room for {self._room(tasks) / 1e6:.0f} MB in its {MEMORY_MB} MB of memory"
        )

    def _archives(self, tasks: JobTasks) -> list[Path]:
        userland = self._whole()
        names = [USERLAND]
        if tasks.needs_tflite_runtime and TFLITE_RUNTIME in userland.files:
            names.append(TFLITE_RUNTIME)
        return [userland.folder / name for name in names]

    def _whole(self) -> Userland:
        if self._userland is None:
            raise DeviceError(f"{self.name} has not been built.")
        return self._userland


def _error(model: str | None, message: str, stderr: Sequence[str] = ()) -> Event:
    return {"event": "error", "model": model, "message": message, "stderr": list(stderr)}
