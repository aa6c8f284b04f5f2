"""What the host answers to the first golden samples: other devices are compared with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import numpy as np

from edgekit.results.agreement import Agreement, AgreementAccumulator
from edgekit.results.events import read_events
from edgekit.results.plan import COUNTING_SAMPLES
from edgekit_runtimes.devices import open_device
from edgekit_runtimes.protocol.job import Job
from edgekit_runtimes.tensors import Array, Arrays

if TYPE_CHECKING:
    from edgekit.bench.candidates import Candidate
    from edgekit.bench.request import BenchRequest
    from edgekit_runtimes.devices import Device, EngineChoice

HOST = "host"


class HostComparison(Protocol):
    """What takes in a device's outputs on the golden samples as they arrive."""

    def add(self, start: int, outputs: Mapping[str, Array]) -> None:
        """Take in the outputs of the samples from number `start` on."""

    def result(self) -> Agreement | None:
        """Return the agreement with the host; None if there is nothing to compare."""


class HostAnswers:
    """Asks each artifact once a bench, and not at all where the host is measured first.

    The host answers with the engine that the other device has, or else with the one it prefers.
    The first COUNTING_SAMPLES samples are enough to tell other kernels from other rounding, and as
    many as a device that counts is asked.
    """

    def __init__(self, request: BenchRequest) -> None:
        self._request = request
        # By artifact and engine.
        self._answers: dict[tuple[str, str | None], FirstOutputs] = {}

    def comparison(self, candidate: Candidate | None, device: str) -> HostComparison:
        """Return what compares an artifact's outputs on a device; None for the original.

        It compares nothing on the host itself, whose outputs are kept, and for what no engine of
        the host runs.
        """
        if candidate is None:
            return FirstOutputs(0)
        if device == HOST:
            kept = FirstOutputs(COUNTING_SAMPLES)
            self._answers[candidate.subject.id, candidate.engine.word] = kept
            return kept
        arrays = self._answer(candidate).arrays()
        return AgreementAccumulator(arrays) if arrays else FirstOutputs(0)

    def _answer(self, candidate: Candidate) -> FirstOutputs:
        with open_device(HOST) as host:
            choice = _same_engine(candidate, host)
            key = candidate.subject.id, choice.word
            if key not in self._answers:
                self._answers[key] = self._ask(candidate, host, choice)
            return self._answers[key]

    def _ask(self, candidate: Candidate, host: Device, choice: EngineChoice) -> FirstOutputs:
        """Return what the artifact gives here; nothing if it fails, as its row here says."""
        outputs = FirstOutputs(COUNTING_SAMPLES)
        request, subject = self._request, candidate.subject
        if choice.module is not None:
            model = choice.job_model(subject.id, str(subject.path), subject.engine_options)
            samples = min(COUNTING_SAMPLES, request.samples)
            job = Job((model,), request.inputs, request.preprocessing, outputs=samples)
            read_events(host.run(job), lambda _, start, arrays: outputs.add(start, arrays))
        return outputs


def _same_engine(candidate: Candidate, host: Device) -> EngineChoice:
    choices = host.engines_for(candidate.subject.format)
    same = (choice for choice in choices if choice.module and choice.word == candidate.engine.word)
    return next(same, host.engine_for(candidate.subject.format))


class FirstOutputs:
    """Keeps the outputs of the first `limit` samples and compares nothing."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pieces: dict[str, list[Array]] = {}

    def add(self, start: int, outputs: Mapping[str, Array]) -> None:
        """Keep what is wanted of the outputs of the samples from number `start` on."""
        for name, array in outputs.items():
            if start < self._limit:
                self._pieces.setdefault(name, []).append(array[: self._limit - start])

    def arrays(self) -> Arrays:
        """Return what was kept, samples along the first axis."""
        return {name: np.concatenate(pieces) for name, pieces in self._pieces.items()}

    def result(self) -> None:
        """Return no agreement."""
