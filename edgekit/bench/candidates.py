"""What is measured on one device: artifacts, each with an engine that runs it there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgekit_runtimes.errors import UsageError
from edgekit_runtimes.protocol.job import JobModel

if TYPE_CHECKING:
    from edgekit.bench.request import BenchRequest
    from edgekit.inspect.subject import Subject
    from edgekit_runtimes.devices import Device, EngineChoice


@dataclass(frozen=True)
class Candidate:
    """An artifact and an engine for it, or why there is no engine.

    id: how jobs name it: the artifact's id, with the engine's word where several run it.
    """

    id: str
    subject: Subject
    engine: EngineChoice

    @property
    def is_reference(self) -> bool:
        """Whether the other artifacts of its format, run by its engine, are compared with it."""
        return self.subject.is_reference

    def model(self, threads: int) -> JobModel | None:
        """Return what a job says of it; None where there is no engine for it."""
        if self.engine.module is None:
            return None
        options = {**self.subject.engine_options, "threads": threads}
        return self.engine.job_model(self.id, str(self.subject.path), options)


def reference_of(candidate: Candidate, candidates: Iterable[Candidate]) -> Candidate | None:
    """Return the fp32 artifact of its format and engine, or None."""
    if candidate.is_reference:
        return None
    mine = (candidate.subject.format, candidate.engine.word)
    return next(
        (
            other
            for other in candidates
            if other.is_reference and (other.subject.format, other.engine.word) == mine
        ),
        None,
    )


def candidates_of(request: BenchRequest, devices: Sequence[Device]) -> Iterator[list[Candidate]]:
    """Yield what is measured on each device.

    Without engines in the request each artifact is run by the engine that the device prefers.
    With some, it is run by each of them that the device has. One that no device of this bench has
    is a candidate without a module where it could be installed. Raises UsageError if nothing is
    left to run on a device.
    """
    offers = [
        [(subject, device.engines_for(subject.format)) for subject in request.subjects]
        for device in devices
    ]
    present = {word for offer in offers for word in _usable(offer)}
    for device, offer in zip(devices, offers, strict=True):
        if not request.engines:
            yield [
                Candidate(subject.id, subject, device.engine_for(subject.format))
                for subject, _ in offer
            ]
            continue
        chosen = [
            (subject, _asked_for(choices, request.engines, present)) for subject, choices in offer
        ]
        if not any(choice.module for _, choices in chosen for choice in choices):
            known = ", ".join(sorted(_usable(offer))) or "none"
            raise UsageError(
                f"On {device.name} no artifact is run by {' or '.join(request.engines)} "
                f"(--engine). The engines of these artifacts there: {known}."
            )
        yield [
            Candidate(_id(subject, choice, len(choices)), subject, choice)
            for subject, choices in chosen
            for choice in choices
        ]


def _usable(offer: Iterable[tuple[Subject, Iterable[EngineChoice]]]) -> set[str]:
    """Return the words of the engines that can be used."""
    choices = [choice for _, choices in offer for choice in choices]
    return {choice.word for choice in choices if choice.module and choice.word}


def _asked_for(
    choices: Iterable[EngineChoice], words: Sequence[str], present: set[str]
) -> list[EngineChoice]:
    """Return the choices of these words; those without a module where no device has the engine."""
    return [
        choice
        for choice in choices
        if choice.word in words and (choice.module or choice.word not in present)
    ]


def _id(subject: Subject, choice: EngineChoice, engines: int) -> str:
    return subject.id if engines == 1 else f"{subject.id} ({choice.word})"
