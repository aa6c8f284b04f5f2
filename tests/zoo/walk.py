"""Walk through the zoo: convert what has no result yet, in processes that may die.

Several small nets are converted in one model. What is not right there is converted again in
halves, and in the end by itself, so that each fault has its own net.
"""

from __future__ import annotations

import json
import math
import os
import selectors
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.case import ALONE, Case
from zoo.judge import CRASHED, FAULTS, REFUSED
from zoo.kept import Kept

FORMATS = ("tflite", "tfjs", "onnx")
RECIPES = ("fp32", "fp16", "int8-weights", "int8")

# More in one model save little, and cost much where one of them is not right.
COMPANY = 16
# A process that has converted this many models is replaced: TensorFlow keeps memory.
MODELS_PER_PROCESS = 25
SECONDS_PER_MODEL = 900
# The reasons of a company are not those of a net by itself. What a format does not have, and what a
# whole company has nothing for, none of it has.
UNSURE = (*FAULTS, REFUSED)


@dataclass(frozen=True)
class Job:
    """What one conversion makes: cases in one model, x formats x recipes."""

    cases: tuple[str, ...]
    formats: tuple[str, ...]
    recipes: tuple[str, ...]

    def to_json(self) -> str:
        """Return the line that a worker reads."""
        return json.dumps(vars(self))


def plan(cases: Sequence[Case], kept: Kept, recipes: Sequence[str]) -> list[Job]:
    """Return the jobs for all cells that have no result."""
    open_cases: dict[tuple[str, str, tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for case in cases:
        lacking = [
            (name, recipe)
            for name in FORMATS
            for recipe in recipes
            if (case.id, name, recipe) not in kept
        ]
        if not lacking:
            continue
        formats = tuple(name for name in FORMATS if any(name == one for one, _ in lacking))
        words = tuple(word for word in recipes if any(word == one for _, one in lacking))
        alone = case.id if case.company == ALONE else ""
        key = (case.company, alone, formats, words)
        open_cases.setdefault(key, []).append(case.id)
    jobs = []
    for (_, _, formats, words), names in open_cases.items():
        for start in range(0, len(names), COMPANY):
            jobs.append(Job(tuple(names[start : start + COMPANY]), formats, words))
    return jobs


def walk(
    jobs: Iterable[Job], kept: Kept, workers: int, say: Callable[[str], None], seconds: float = 0
) -> None:
    """Do all jobs, and what comes of them; each result is kept at once.

    seconds: nothing new is started after them; 0 for no limit.
    """
    queue = Queue(jobs, time.monotonic() + seconds if seconds else math.inf)
    threads = [
        threading.Thread(target=_serve, args=(queue, kept, say), daemon=True)
        for _ in range(workers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Queue:
    """Jobs that are waiting; it is over when none is waiting and none is being done."""

    def __init__(self, jobs: Iterable[Job], until: float) -> None:
        self._until = until
        self._waiting = deque(jobs)
        self._doing = 0
        self._changed = threading.Condition()

    def take(self) -> Job | None:
        """Return the next job, or None when all is done."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or not self._doing)
            if not self._waiting or time.monotonic() > self._until:
                return None
            self._doing += 1
            return self._waiting.popleft()

    def done(self, more: Iterable[Job]) -> None:
        """Say that a job is done, and what is to be done because of it."""
        with self._changed:
            self._doing -= 1
            self._waiting.extendleft(more)
            self._changed.notify_all()

    def __len__(self) -> int:
        return len(self._waiting)


def _serve(queue: Queue, kept: Kept, say: Callable[[str], None]) -> None:
    worker = Worker()
    while (job := queue.take()) is not None:
        more: list[Job] = []
        try:
            cells = worker.answer(job)
            sure, more = settled(job, cells)
            kept.add(sure)
            faults = sum(cell["status"] in FAULTS for cell in sure)
            done = f"{len(job.cases):2} nets, {len(sure)} cells, {faults} faults"
            say(f"{len(queue):4} waiting; {done}")
        finally:
            queue.done(more)
    worker.stop()


def settled(job: Job, cells: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[Job]]:
    """Return the cells that are sure, and the jobs for the others.

    In company, a format is sure where a recipe has no fault in any case; what is right for a case
    while another case fails alone is sure as well.
    """
    if len(job.cases) == 1:
        return cells, []
    unsure = [cell for cell in cells if cell["status"] in UNSURE]
    again: dict[tuple[str, ...], dict[str, set[str]]] = {}
    for case in job.cases:
        formats: dict[str, set[str]] = {}
        for cell in unsure:
            if cell["case"] == case:
                formats.setdefault(cell["format"], set()).add(cell["recipe"])
        for name, recipes in formats.items():
            words = tuple(word for word in job.recipes if word in recipes)
            again.setdefault((name, *words), {}).setdefault(case, set())
    jobs = []
    for (name, *words), names in again.items():
        listed = list(names)
        # A fault of its own stands alone already; one of the whole is found by halves.
        parts = 2 if len(listed) > len(job.cases) // 2 else 1
        size = -(-len(listed) // parts)
        for start in range(0, len(listed), size):
            jobs.append(Job(tuple(listed[start : start + size]), (name,), tuple(words)))
    return [cell for cell in cells if cell["status"] not in UNSURE], _merged(jobs)


def _merged(jobs: list[Job]) -> list[Job]:
    """Return jobs about the same cases and recipes as one with all their formats."""
    formats: dict[tuple[Any, Any], list[str]] = {}
    for job in jobs:
        formats.setdefault((job.cases, job.recipes), []).extend(job.formats)
    return [Job(cases, tuple(names), words) for (cases, words), names in formats.items()]


class Worker:
    """A process of zoo.worker, started anew where it dies or has done enough."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._done = 0

    def answer(self, job: Job) -> list[dict[str, Any]]:
        """Return the cells of a job; all of them crashed where the process died of it."""
        if self._done >= MODELS_PER_PROCESS:
            self.stop()
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(job.to_json() + "\n")
            process.stdin.flush()
            line = _line(process.stdout, SECONDS_PER_MODEL)
        except BrokenPipeError:
            line = ""
        self._done += 1
        if line:
            return list(json.loads(line)["cells"])
        hung = process.poll() is None and not _ends(process)
        self.stop()
        reason = "no answer in time" if hung else f"the process ended ({process.returncode})"
        return [
            {"case": case, "format": name, "recipe": recipe, "status": CRASHED, "reason": reason}
            for case in job.cases
            for name in job.formats
            for recipe in job.recipes
        ]

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process, self._done = None, 0

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            log = Path(os.environ.get("ZOO_LOG", os.devnull))
            with log.open("a") as errors:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "zoo.worker"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    text=True,
                )
        return self._process


def _line(stream: Any, seconds: float) -> str:
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        return stream.readline() if selector.select(seconds) else ""


def _ends(process: subprocess.Popen[str]) -> bool:
    try:
        process.wait(1)
    except subprocess.TimeoutExpired:
        return False
    return True
