"""What a search asks for, whoever answers: the pipeline and engines, or a fake one in tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from edgekit.tune.candidate import Answers, Candidate, Evaluation
from edgekit_converters.mixing import Layer


class Evaluator(Protocol):
    """Makes candidates and measures them."""

    def evaluate(self, candidates: Sequence[Candidate]) -> list[Evaluation]:
        """Return what was found of each, on the samples that the search sees.

        Raises DeviceError if a device goes away.
        """

    def judge(self, candidates: Sequence[Candidate]) -> list[Answers]:
        """Return how each answers the samples that the search does not see."""

    def layers(self, format_name: str) -> Sequence[Layer]:
        """Return the layers of the fp32 artifact of a format; none where it does not mix."""
