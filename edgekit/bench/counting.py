"""Counting instructions: a bench on a device whose clock advances with each instruction.

Counts repeat, so nothing is measured side by side: each artifact has its own worker, and
all of them go to the device at once, since booting it takes longer than most of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from edgekit.bench.candidates import Candidate, reference_of
from edgekit.bench.rows import RowBuilder, finished_rows
from edgekit.results.events import read_events
from edgekit.results.fidelity import FidelityAccumulator
from edgekit.results.plan import COUNTING, COUNTING_SAMPLES
from edgekit_runtimes.errors import DeviceError, UsageError
from edgekit_runtimes.protocol.job import Event, Job, JobModel
from edgekit_runtimes.tensors import Arrays

if TYPE_CHECKING:
    from edgekit.bench.accuracy.judge import Judgement
    from edgekit.bench.host_answers import HostAnswers
    from edgekit.bench.progress import ReportStep
    from edgekit.bench.request import BenchRequest
    from edgekit.results.results import Row
    from edgekit_runtimes.devices import CountingDevice

NO_ACCURACY = (
    "a labelled set would take hours on a device that counts. Add --on host: what is exact vs host "
    "is as accurate"
)

# Several threads would take turns on the one core that counts.
ONE_THREAD = 1


class CountingBench:
    """One bench on one device that counts, without accuracy."""

    def __init__(
        self,
        device: CountingDevice,
        request: BenchRequest,
        candidates: Sequence[Candidate],
        host: HostAnswers,
        report: ReportStep,
    ) -> None:
        self.environment: dict[str, Any] = {}
        self.judgements: dict[tuple[str | None, str], Judgement] = {}
        self._device = device
        self._request = request
        self._candidates = candidates
        self._host = host
        self._report = report
        reason = NO_ACCURACY if request.evaluation else None
        self._builders = {
            candidate.id: RowBuilder(
                candidate.id, candidate, unit=device.unit, accuracy_reason=reason
            )
            for candidate in candidates
        }

    def run(self) -> list[Row]:
        """Count and judge everything; return the rows."""
        models = [(candidate, candidate.model(ONE_THREAD)) for candidate in self._candidates]
        candidates = [candidate for candidate, model in models if model]
        jobs = [self._job(model) for _, model in models if model]
        if jobs:
            try:
                self._device.prepare(lambda step: self._report(0, len(jobs), step))
                self._run_all(candidates, jobs)
            except (DeviceError, UsageError) as error:
                for candidate in candidates:
                    if not self._builders[candidate.id].timings:
                        self._builders[candidate.id].fail(str(error))
        self._pair_up(candidates)
        return finished_rows(self._device.name, self._builders.values())

    def give_up(self, reason: str) -> list[Row]:
        """Return the rows of a device that failed as a whole."""
        for builder in self._builders.values():
            builder.fail(reason)
        return finished_rows(self._device.name, self._builders.values())

    def _job(self, model: JobModel) -> Job:
        request = self._request
        samples = min(request.samples, COUNTING_SAMPLES)
        preprocessing, plan = request.preprocessing, COUNTING.worker
        return Job((model,), request.inputs, preprocessing, plan, samples, explain=True)

    def _run_all(self, candidates: Sequence[Candidate], jobs: Sequence[Job]) -> None:
        events: list[Event] = []
        current = 0
        self._report(0, len(jobs), "booting")
        for number, event in self._device.run_all(jobs):
            if number != current:
                self._take(candidates[current], events)
                events, current = [], number
            if not events:
                self._report(number, len(jobs), f"counting {candidates[number].id}")
            events.append(event)
        self._take(candidates[current], events)

    def _take(self, candidate: Candidate, events: Sequence[Event]) -> None:
        """Take in all that one worker said."""
        builder = self._builders[candidate.id]
        fidelity = FidelityAccumulator(self._request.golden)
        agreement = self._host.comparison(candidate, self._device.name)

        def take_outputs(_: str, start: int, outputs: Arrays) -> None:
            fidelity.add(start, outputs)
            agreement.add(start, outputs)

        record = read_events(events, take_outputs)
        builder.timings[0] = record.models
        builder.add_alone(record)
        for reason in record.errors.values():
            builder.fail(reason)
        if builder.status == "ok":
            builder.agreement = agreement.result()
            if builder.row_id != self._request.stands_in:
                builder.fidelity = fidelity.result()
        self.environment = record.added_to(self.environment)

    def _pair_up(self, candidates: Sequence[Candidate]) -> None:
        """Lay the fp32 artifact's counts beside those of each other artifact of its format."""
        for candidate in candidates:
            reference = reference_of(candidate, candidates)
            if reference and self._builders[reference.id].status == "ok":
                mine, other = self._builders[candidate.id], self._builders[reference.id]
                if 0 in mine.timings:
                    mine.timings[0] = {**other.timings[0], **mine.timings[0]}
