"""Timing: a bench on a device that measures time.

Each artifact is checked alone, then timed beside the fp32 artifact of its format and engine in
fresh worker processes, then judged by labels where there are any.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from edgekit.bench.accuracy.judge import Judgement, open_judge
from edgekit.bench.accuracy.labels import LabelledOutput
from edgekit.bench.candidates import Candidate
from edgekit.bench.host_answers import HostAnswers
from edgekit.bench.pace import Pace, Work
from edgekit.bench.progress import Progress, ReportProgress
from edgekit.bench.rows import RowBuilder, finished_rows
from edgekit.bench.schedule import groups, schedule
from edgekit.results.events import read_events
from edgekit.results.fidelity import FidelityAccumulator
from edgekit.results.plan import ORIGINAL
from edgekit_runtimes.devices import Device
from edgekit_runtimes.devices.node.engines import NODE_ENGINES, NODE_WORKER
from edgekit_runtimes.engines import load_engine
from edgekit_runtimes.errors import ConnectionLostError, DataError, EngineError
from edgekit_runtimes.protocol.events import ModelRecord, ProcessRecord
from edgekit_runtimes.protocol.job import Job, JobModel, Plan
from edgekit_runtimes.tensors import Array, Arrays

if TYPE_CHECKING:
    from edgekit.bench.request import BenchRequest, Evaluation
    from edgekit.results.results import Row

# The original needs its framework, and only the environment that edgekit runs in is known to
# have it.
ORIGINAL_DEVICE = "host"


class _Accumulator(Protocol):
    """What takes in outputs as they arrive."""

    def add(self, start: int, outputs: Mapping[str, Array]) -> None: ...


class TimingBench:
    """One bench on one device."""

    def __init__(
        self,
        device: Device,
        request: BenchRequest,
        candidates: Sequence[Candidate],
        host: HostAnswers,
        labelled: LabelledOutput | None,
        progress: ReportProgress | None,
    ) -> None:
        self.environment: dict[str, Any] = {}
        # By the engine and the artifact.
        self.judgements: dict[tuple[str | None, str], Judgement] = {}
        self._device = device
        self._request = request
        self._candidates = candidates
        self._host = host
        self._labelled = labelled
        self._progress = progress
        self._works: list[Work] = []
        self._done = 0
        self._pace = Pace(request.plan.worker)
        self._models: dict[str, JobModel] = {}
        self._builders = {
            candidate.id: RowBuilder(candidate.id, candidate) for candidate in candidates
        }

    def run(self) -> list[Row]:
        """Check, time and judge everything; return the rows.

        Where the connection to the device drops, the rows have what had arrived by then.
        """
        self._choose_models()
        try:
            self._measure()
        except ConnectionLostError as error:
            for builder in self._builders.values():
                if not builder.accuracy:
                    builder.interrupt(str(error))
        return finished_rows(self._device.name, self._builders.values())

    def _measure(self) -> None:
        self._works = self._planned()
        for number, work in enumerate(self._works):
            self._done = number
            began = time.monotonic()
            if work.kind == "check":
                self._check(work)
            elif work.kind == "time":
                self._time(work)
            elif self._labelled and self._request.evaluation:
                self._evaluate(work, self._request.evaluation, self._labelled)
            self._pace.finished(work, time.monotonic() - began)

    def _planned(self) -> list[Work]:
        """Return what is to be done, in its order, if nothing fails."""
        fine = [candidate for candidate in self._candidates if self._is_fine(candidate.id)]
        original = self._request.original
        is_under_node = original is not None and original.engine in NODE_ENGINES
        worker = NODE_WORKER if is_under_node else ""
        planned = groups(fine, self._is_fine(ORIGINAL), worker)
        checks = [Work("check", (name,), samples=self._request.samples) for name in self._models]
        timings = [
            Work("time", group.members, group.timed, process)
            for process, group in schedule(planned, self._request.plan.processes)
        ]
        samples = len(self._labelled.labels) if self._labelled else 0
        evaluations = [Work("evaluate", (name,), samples=samples) for name in self._models]
        return [*checks, *timings, *(evaluations if self._labelled else [])]

    def give_up(self, reason: str) -> list[Row]:
        """Return the rows of a device that failed as a whole."""
        for builder in self._builders.values():
            builder.interrupt(reason)
        return finished_rows(self._device.name, self._builders.values())

    def _choose_models(self) -> None:
        original = self._request.original
        if original and self._device.name == ORIGINAL_DEVICE:
            self._builders = {
                ORIGINAL: RowBuilder(ORIGINAL, engine=_word(original)),
                **self._builders,
            }
            options = {**original.options, "threads": self._request.threads}
            self._models[ORIGINAL] = replace(original, options=options)
        for candidate in self._candidates:
            if model := candidate.model(self._request.threads):
                self._models[candidate.id] = model

    def _is_fine(self, name: str) -> bool:
        return name in self._models and self._builders[name].status == "ok"

    def _check(self, work: Work) -> None:
        (name,) = work.members
        builder = self._builders[name]
        fidelity = FidelityAccumulator(self._request.golden)
        agreement = self._host.comparison(builder.candidate, self._device.name)
        samples = self._request.samples
        job = self._job((name,), self._request.inputs, outputs=samples, explain=True)
        record = self._run(job, f"checking {name}", (name,), fidelity, agreement)
        builder.add_alone(record)
        record.raise_if_lost()
        if self._is_fine(name):
            builder.agreement = agreement.result()
            if builder.row_id != self._request.stands_in:
                builder.fidelity = fidelity.result()

    def _time(self, work: Work) -> None:
        members = tuple(name for name in work.members if self._is_fine(name))
        timed = tuple(name for name in work.timed if self._is_fine(name))
        if not timed:
            return
        job = self._job(members, self._request.inputs, plan=self._request.plan.worker)
        record = self._run(job, f"timing {', '.join(timed)}", timed)
        for name in timed:
            self._builders[name].timings[work.process] = record.models
        record.raise_if_lost()

    def _evaluate(self, work: Work, data: Evaluation, labelled: LabelledOutput) -> None:
        (name,) = work.members
        if not self._is_fine(name):
            return
        judge = open_judge(labelled)
        job = self._job((name,), data.inputs, outputs=-1)
        record = self._run(job, f"evaluating {name}", (name,), judge)
        self._builders[name].add_alone(record)
        record.raise_if_lost()
        if not self._is_fine(name):
            return
        if labelled.metric:
            # It may be called a thousand times more, for its interval.
            self._report(f"judging {name}", self._pace.left_s(self._works[self._done + 1 :]))
        builder = self._builders[name]
        try:
            judgement = judge.result()
        except DataError as error:
            builder.fail(str(error))
        else:
            builder.accuracy = judgement.accuracy
            self.judgements[builder.engine, builder.row_id] = judgement

    def _job(
        self,
        names: Sequence[str],
        inputs: Mapping[str, str],
        plan: Plan | None = None,
        outputs: int = 0,
        explain: bool = False,
    ) -> Job:
        models = tuple(self._models[name] for name in names)
        return Job(models, inputs, self._request.preprocessing, plan, outputs, explain)

    def _run(
        self,
        job: Job,
        text: str,
        concerned: Sequence[str],
        *accumulators: _Accumulator,
    ) -> ProcessRecord:
        """Run one process. An error that names no model concerns all the models in it."""
        began = time.monotonic()
        work, rest = self._works[self._done], self._works[self._done + 1 :]
        self._report(text, self._pace.left_s([work, *rest]))
        done = 0

        def take_outputs(_: str, start: int, outputs: Arrays) -> None:
            nonlocal done
            for accumulator in accumulators:
                accumulator.add(start, outputs)
            done = start + len(next(iter(outputs.values())))
            if work.kind == "evaluate" and done < work.samples:
                left_s = (time.monotonic() - began) * (work.samples / done - 1)
                said = f"{text}, {done} of {work.samples} samples"
                self._report(said, left_s + self._pace.left_s(rest))

        record = read_events(self._device.run(job), take_outputs)
        if work.kind == "evaluate" and done < work.samples and not record.lost:
            # Samples without an answer must not count as wrong ones.
            said = f"outputs of {done} samples came, and {work.samples} were asked for"
            record.errors.setdefault(work.members[0], said)
        for name, model in record.models.items():
            self._note_pace(name, model)
        for name, reason in record.errors.items():
            for failed in (name,) if name in self._builders else concerned:
                self._builders[failed].fail(reason)
        self.environment = record.added_to(self.environment)
        return record

    def _report(self, text: str, left_s: float) -> None:
        if self._progress:
            total = len(self._works)
            self._progress(Progress(self._device.name, self._done, total, text, left_s))

    def _note_pace(self, name: str, model: ModelRecord) -> None:
        blocks = model.blocks["measure"]
        if blocks:
            self._pace.saw_run(name, float(np.median(blocks[-1])))
        elif model.first_run_ns is not None:
            self._pace.saw_first_run(name, model.first_run_ns)


def _word(model: JobModel) -> str | None:
    """Return how results name the engine of the original; None if it cannot be imported."""
    if model.engine in NODE_ENGINES:
        return model.engine
    with contextlib.suppress(EngineError):
        return load_engine(model.engine).NAME
    return None
