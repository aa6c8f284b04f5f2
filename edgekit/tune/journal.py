"""The journal: what was evaluated, stored as it comes, so that a search can go on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from edgekit.files import writing
from edgekit.forms import encode, from_form
from edgekit.tune.candidate import Answers, Candidate, Evaluation, Objective
from edgekit.tune.evaluator import Evaluator
from edgekit_converters.mixing import Layer


class Journal:
    """An evaluator that asks another one only for what is not stored yet.

    path: a file of one evaluation per line. objectives: what an evaluation must know the cost of.
    """

    def __init__(self, inner: Evaluator, path: Path, objectives: tuple[Objective, ...]) -> None:
        self._inner = inner
        self._path = path
        self._objectives = objectives
        self.known = {
            one.candidate.id: one
            for one in _read(path)
            if one.answers is None or one.has(objectives)
        }

    def evaluate(self, candidates: Sequence[Candidate]) -> list[Evaluation]:
        """Return what was found of each, from the file where it is there."""
        missing = [one for one in candidates if one.id not in self.known]
        if missing:
            for one in self._inner.evaluate(missing):
                self.known[one.candidate.id] = one
                self._write(one)
        return [self.known[one.id] for one in candidates]

    def judge(self, candidates: Sequence[Candidate]) -> list[Answers]:
        """Return how each answers the samples that the search does not see."""
        return self._inner.judge(candidates)

    def layers(self, format_name: str) -> Sequence[Layer]:
        """Return the layers of the fp32 artifact of a format."""
        return self._inner.layers(format_name)

    def _write(self, one: Evaluation) -> None:
        # The line before may have been cut.
        with writing(self._path), self._path.open("ab") as file:
            file.write(b"\n" + encode(one) + b"\n")


def _read(path: Path) -> list[Evaluation]:
    """Return what a file holds; a line that was cut is left out."""
    found = []
    for line in path.read_bytes().splitlines() if path.exists() else ():
        try:
            found.append(from_form(msgspec.json.decode(line), Evaluation))
        except ValueError:
            continue
    return found
