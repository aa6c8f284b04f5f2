"""What the host answers to the first golden samples: other devices are compared with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import numpy as np

from edgekit.bench.record import read_events
from edgekit.results.agreement import Agreement, AgreementAccumulator
from edgekit.results.plan import COUNTING_SAMPLES
from edgekit_runtimes.devices import open_device
from edgekit_runtimes.protocol.job import Job, JobModel
from edgekit_runtimes.tensors import Array, Arrays

if TYPE_CHECKING:
    from edgekit.bench.request import BenchRequest
    from edgekit.inspect.subject import Subject

HOST = "host"


class Comparison(Protocol):
    """What takes in a device's outputs on the golden samples as they arrive."""

    def add(self, start: int, outputs: Mapping[str, Array]) -> None:
        """Take in the outputs of the samples from number `start` on."""

    def result(self) -> Agreement | None:
        """Return the agreement with the host; None where there is nothing to compare."""


class HostAnswers:
    """Asks each artifact once a bench, and not at all where the host is measured first.

    The first COUNTING_SAMPLES samples are enough to tell other kernels from other rounding, and as
    many as a device that counts is asked.
    """

    def __init__(self, request: BenchRequest) -> None:
        self._request = request
        self._answers: dict[str, FirstOutputs] = {}

    def comparison(self, subject: Subject | None, device: str) -> Comparison:
        """Return what compares an artifact's outputs on a device; subject: None for the original.

        It compares nothing on the host itself, whose outputs are kept, and for what no engine of
        the host runs.
        """
        if subject is None:
            return FirstOutputs(0)
        if device == HOST:
            self._answers[subject.id] = FirstOutputs(COUNTING_SAMPLES)
            return self._answers[subject.id]
        if subject.id not in self._answers:
            self._answers[subject.id] = self._ask(subject)
        arrays = self._answers[subject.id].arrays()
        return AgreementAccumulator(arrays) if arrays else FirstOutputs(0)

    def _ask(self, subject: Subject) -> FirstOutputs:
        """Return what the artifact gives here; nothing where it fails, as its row here says."""
        outputs = FirstOutputs(COUNTING_SAMPLES)
        request = self._request
        with open_device(HOST) as host:
            module = host.engine_for(subject.format).module
            if module is None:
                return outputs
            model = JobModel(subject.id, module, str(subject.path), subject.engine_options)
            samples = min(COUNTING_SAMPLES, request.samples)
            job = Job((model,), request.inputs, request.preprocessing, outputs=samples)
            read_events(host.run(job), lambda _, start, arrays: outputs.add(start, arrays))
        return outputs


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
