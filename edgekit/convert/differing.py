"""Which tensor of an artifact is the first that is not what the frozen graph has there."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgekit.convert.closeness import closeness
from edgekit.files import remove
from edgekit_converters.inner import Inner, InnerTensor, inner
from edgekit_runtimes.errors import EdgekitError
from edgekit_runtimes.tensors import Array, Arrays

if TYPE_CHECKING:
    from edgekit_converters.inner.frozen import FrozenValues

# Of so many bytes, a worker's answer is a line of 64 MB.
MAX_BYTES_AT_ONCE = 48_000_000

# Runs an artifact (a path) on one sample and returns its outputs.
Run = Callable[[Path], Arrays]


@dataclass(frozen=True)
class Differing:
    """A tensor that is not what it should be.

    name: of the node, as the frozen graph has it. sqnr_db: how close it is to that.
    """

    name: str
    sqnr_db: float

    def __str__(self) -> str:
        return f"'{self.name}' ({self.sqnr_db:.1f} dB)"


def first_differing(
    format_name: str, path: Path, values: FrozenValues, limit_db: float, run: Run
) -> Differing | None:
    """Return the first tensor on the way to a wrong output that is under a limit.

    values: the frozen graph's, for the sample that `run` takes. The artifact's engine runs copies
    of it that give its inner tensors out. Where that alone makes them right, because the engine
    then no longer fuses what it fuses wrongly, they are asked for one at a time.
    None where no tensor can be named.
    """
    try:
        search = _Search(inner(format_name), path, values, run)
        found = _first(search.steps, search.levels(search.known), limit_db)
        return found or _first_alone(search, limit_db)
    except (EdgekitError, ImportError):
        # What the engine does not run so cannot be told from what it does.
        return None


def inner_levels(
    format_name: str, path: Path, values: FrozenValues, run: Run
) -> dict[str, Differing]:
    """Return how close each inner tensor that can be compared is, by its name in the file."""
    search = _Search(inner(format_name), path, values, run)
    return search.levels(search.known)


class _Search:
    """The tensors of one artifact, and how close each is to the frozen graph's."""

    def __init__(self, looks: Inner, path: Path, values: FrozenValues, run: Run) -> None:
        self._looks, self._path, self._values, self._run = looks, path, values, run
        self.steps = looks.tensors(path)
        self.known = [step for step in self.steps if self._bytes(step)]

    def levels(self, steps: Sequence[InnerTensor]) -> dict[str, Differing]:
        """Return how close the tensors are, by their names in the file."""
        levels: dict[str, Differing] = {}
        for batch in self._batches(steps):
            target = self._path.with_name(f"inner-{self._path.name}")
            try:
                outputs = self._looks.expose(self._path, [step.name for step in batch], target)
                found = self._run(target)
            finally:
                remove(target)
            for step in batch:
                level = max(
                    _level(candidate, found[outputs[step.name]])
                    for candidate in self._values.candidates(step.node)
                )
                levels[step.name] = Differing(self._values.name_of(step.node), level)
        return levels

    def _batches(self, steps: Sequence[InnerTensor]) -> Iterator[list[InnerTensor]]:
        batch: list[InnerTensor] = []
        size = 0
        for step in steps:
            if batch and size + self._bytes(step) > MAX_BYTES_AT_ONCE:
                yield batch
                batch, size = [], 0
            batch.append(step)
            size += self._bytes(step)
        if batch:
            yield batch

    def _bytes(self, step: InnerTensor) -> int:
        return max((value.nbytes for value in self._values.candidates(step.node)), default=0)


def _level(expected: Array, found: Array) -> float:
    """Return how close a tensor is, whichever axis it has its channels on."""
    # What is small here may be large in the end.
    level = closeness(expected, found, near_zero=0)
    if expected.ndim > 2 and level < math.inf:
        level = max(level, closeness(np.moveaxis(expected, -1, 1), found, near_zero=0))
    return level


def _first(
    steps: Sequence[InnerTensor], levels: Mapping[str, Differing], limit_db: float
) -> Differing | None:
    """Return the first tensor under the limit from which only such tensors lead to an output.

    A tensor that is named after another than it holds is under the limit too, but what is made of
    it is right again.
    """
    users: dict[str, list[str]] = {}
    for step in steps:
        for source in step.inputs:
            users.setdefault(source, []).append(step.name)
    lead: dict[str, bool] = {}
    for step in reversed(steps):
        is_fine = step.name in levels and levels[step.name].sqnr_db >= limit_db
        behind = [lead[user] for user in users.get(step.name, []) if user in lead]
        lead[step.name] = not is_fine and (not behind or any(behind))
    wrong = (step.name for step in steps if step.name in levels and lead[step.name])
    return next((levels[name] for name in wrong), None)


def _first_alone(search: _Search, limit_db: float) -> Differing | None:
    """Return the first tensor under the limit where each is the only one that is given out."""
    low, high = 0, len(search.known)
    found: Differing | None = None
    while low < high:
        middle = (low + high) // 2
        (level,) = search.levels([search.known[middle]]).values()
        if level.sqnr_db < limit_db:
            found, high = level, middle
        else:
            low = middle + 1
    return found
