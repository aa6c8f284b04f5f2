"""Measuring: jobs go to devices, results come out.

What fails is a row with its reason; everything else goes on.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

import numpy as np

import edgekit
from edgekit.bench.count import CountingBench
from edgekit.bench.draft import Draft, finished_rows
from edgekit.bench.fidelity import FidelityAccumulator
from edgekit.bench.host_answers import HostAnswers
from edgekit.bench.judge import Judgement, open_judge
from edgekit.bench.labels import LabelledOutput, labelled_output
from edgekit.bench.metric import Metric
from edgekit.bench.pace import Pace, Work
from edgekit.bench.paired import compared_rows
from edgekit.bench.plan import ORIGINAL, QUICK, BenchPlan, groups, schedule
from edgekit.bench.reasons import with_reasons
from edgekit.bench.record import ModelRecord, ProcessRecord, read_events
from edgekit.bench.results import Results, Row
from edgekit.bench.subject import Subject
from edgekit_runtimes.devices import (
    CountingDevice,
    Device,
    DeviceOptions,
    KeepingDevice,
    device_word,
    open_device,
)
from edgekit_runtimes.errors import ConnectionLostError, DataError, DeviceError, UsageError
from edgekit_runtimes.job import Job, JobModel, Plan
from edgekit_runtimes.tensors import Array, Arrays, Preprocessing

# The original needs its framework, and only the environment that edgekit runs in is known to
# have it.
ORIGINAL_DEVICE = "host"

BROWSER_DEVICE = "browser"


@dataclass(frozen=True)
class Evaluation:
    """Labelled data.

    inputs: a .npy file for each input, samples along the first axis, before preprocessing.
    labels: one a sample: integers for classification, floats for regression.
    output: which output they are about; None is enough where there is only one.
    metric: what judges instead of top-1 accuracy or MAE and RMSE.
    """

    inputs: Mapping[str, str]
    labels: Array
    output: str | None = None
    metric: Metric | None = None


@dataclass(frozen=True)
class BenchRequest:
    """What to measure, and where.

    inputs: golden samples, a .npy file for each input, before preprocessing.
    golden: the original's outputs on them, samples along the first axis.
    noise: whether the golden samples are noise.
    original: the source with the engine that runs it, under the id "original".
    clean: whether to leave nothing on devices that keep what is copied to them.
    browser: which browser devices measure in; None for the installed Chromium.
    engines: the words of the engines to measure ("tfjs"); empty for all.
    """

    subjects: Sequence[Subject]
    inputs: Mapping[str, str]
    golden: Mapping[str, Array]
    noise: bool = False
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    devices: Sequence[str] = ("host",)
    threads: int = 1
    original: JobModel | None = None
    evaluation: Evaluation | None = None
    plan: BenchPlan = QUICK
    clean: bool = False
    browser: str | None = None
    engines: Sequence[str] = ()

    @property
    def samples(self) -> int:
        """How many golden samples there are."""
        return len(next(iter(self.golden.values())))


@dataclass(frozen=True)
class Progress:
    """How far a bench is on one device: `done` of `total` worker processes, and what runs now.

    left_s: about how many seconds the rest on this device takes; None where nobody knows.
    """

    device: str
    done: int
    total: int
    text: str
    left_s: float | None = None


ReportProgress = Callable[[Progress], None]
# (done, total, what runs now) on the device at hand
ReportStep = Callable[[int, int, str], None]


def run_bench(request: BenchRequest, progress: ReportProgress | None = None) -> Results:
    """Measure all subjects on all devices.

    Raises UsageError for an unknown device or nothing to measure, DeviceError for a device that
    cannot be reached, DataError for labels that do not fit. Whatever else goes wrong is a row of
    status "error".
    """
    if not request.subjects:
        raise UsageError("There is no artifact to measure.")
    labelled = _check_labels(request)
    rows: list[Row] = []
    judgements: dict[tuple[str, str], Judgement] = {}
    host = HostAnswers(request)
    environments: dict[str, Mapping[str, Any]] = {}
    with contextlib.ExitStack() as stack:
        # All of them before any work: a wrong word must not end a bench half way.
        specs = dict.fromkeys(request.devices)
        if request.browser and BROWSER_DEVICE not in map(device_word, specs):
            raise UsageError("--browser is for browser devices: add --on browser:wasm, say.")
        options = DeviceOptions(browser=request.browser)
        devices = [stack.enter_context(open_device(spec, options)) for spec in specs]
        if request.clean and not any(isinstance(device, KeepingDevice) for device in devices):
            raise UsageError("--clean is for devices over SSH: nothing is kept on the others.")
        requests = [narrowed(request, device) for device in devices]
        for device, narrow in zip(devices, requests, strict=True):
            bench = _open_bench(device, narrow, host, labelled, progress)
            try:
                with device, _cleaned(device, request.clean):
                    measured = bench.run()
            except DeviceError as error:
                measured = bench.give_up(str(error))
            rows += measured
            environments[device.name] = bench.environment
            for name, judgement in bench.judgements.items():
                judgements[device.name, name] = judgement
    return Results(
        edgekit=edgekit.__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        plan=request.plan,
        threads=request.threads,
        samples=request.samples,
        noise=request.noise,
        environments=environments,
        rows=tuple(
            with_reasons(
                compared_rows(rows, judgements), request.subjects, environments, request.threads
            )
        ),
    )


def narrowed(request: BenchRequest, device: Device) -> BenchRequest:
    """Return the request with those artifacts only that the engines asked for run on a device.

    Raises UsageError where none is left.
    """
    if not request.engines:
        return request
    words = {subject.id: device.engine_for(subject.format).word for subject in request.subjects}
    left = [subject for subject in request.subjects if words[subject.id] in request.engines]
    if not left:
        known = ", ".join(sorted({word for word in words.values() if word})) or "none"
        raise UsageError(
            f"On {device.name} no artifact is run by {' or '.join(request.engines)} (--engine). "
            f"The engines of these artifacts there: {known}."
        )
    return replace(request, subjects=left)


@contextlib.contextmanager
def _cleaned(device: Device, clean: bool) -> Iterator[None]:
    """Remove what a device keeps, before and after, where that is asked for."""
    if not clean or not isinstance(device, KeepingDevice):
        yield
        return
    device.clean()
    try:
        yield
    finally:
        # Where the connection is lost, what ran over it has said so.
        with contextlib.suppress(ConnectionLostError):
            device.clean()


def _open_bench(
    device: Device,
    request: BenchRequest,
    host: HostAnswers,
    labelled: LabelledOutput | None,
    progress: ReportProgress | None,
) -> CountingBench | _DeviceBench:
    """Return the bench that suits the device: one that times, or one that counts."""
    if not isinstance(device, CountingDevice):
        return _DeviceBench(device, request, host, labelled, progress)

    def report(done: int, total: int, text: str) -> None:
        if progress:
            progress(Progress(device.name, done, total, text))

    return CountingBench(device, request, host, report)


def _check_labels(request: BenchRequest) -> LabelledOutput | None:
    data = request.evaluation
    if data is None:
        return None
    first = np.load(next(iter(data.inputs.values())), mmap_mode="r", allow_pickle=False)
    return labelled_output(data.labels, len(first), request.golden, data.output, data.metric)


class _Accumulator(Protocol):
    """What takes in outputs as they arrive."""

    def add(self, start: int, outputs: Mapping[str, Array]) -> None: ...


class _DeviceBench:
    """One bench on one device."""

    def __init__(
        self,
        device: Device,
        request: BenchRequest,
        host: HostAnswers,
        labelled: LabelledOutput | None,
        progress: ReportProgress | None,
    ) -> None:
        self.environment: dict[str, Any] = {}
        self.judgements: dict[str, Judgement] = {}
        self._device = device
        self._request = request
        self._host = host
        self._labelled = labelled
        self._progress = progress
        self._works: list[Work] = []
        self._done = 0
        self._pace = Pace(request.plan.worker)
        self._models: dict[str, JobModel] = {}
        self._drafts = {subject.id: Draft(subject.id, subject) for subject in request.subjects}

    def run(self) -> list[Row]:
        """Check, time and judge everything; return the rows.

        Where the connection to the device drops, the rows have what had come until then.
        """
        self._choose_engines()
        try:
            self._measure()
        except ConnectionLostError as error:
            for draft in self._drafts.values():
                if not draft.accuracy:
                    draft.interrupt(str(error))
        return finished_rows(self._device.name, self._drafts.values())

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
        """Return what is to be done, in its order, where nothing fails."""
        subjects = [subject for subject in self._request.subjects if self._is_fine(subject.id)]
        planned = groups(subjects, self._is_fine(ORIGINAL))
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
        for draft in self._drafts.values():
            draft.interrupt(reason)
        return finished_rows(self._device.name, self._drafts.values())

    def _choose_engines(self) -> None:
        if self._request.original and self._device.name == ORIGINAL_DEVICE:
            self._drafts = {ORIGINAL: Draft(ORIGINAL), **self._drafts}
            self._models[ORIGINAL] = self._with_threads(self._request.original)
        for subject in self._request.subjects:
            choice = self._device.engine_for(subject.format)
            if choice.module is None:
                draft = self._drafts[subject.id]
                draft.status, draft.reason = "not available", choice.reason
                continue
            self._drafts[subject.id].backend = choice.backend
            backend = {"backend": choice.backend} if choice.backend else {}
            options = {**subject.engine_options, **backend}
            self._models[subject.id] = self._with_threads(
                JobModel(subject.id, choice.module, str(subject.path), options)
            )

    def _with_threads(self, model: JobModel) -> JobModel:
        return replace(model, options={**model.options, "threads": self._request.threads})

    def _is_fine(self, name: str) -> bool:
        return name in self._models and self._drafts[name].status == "ok"

    def _check(self, work: Work) -> None:
        (name,) = work.members
        draft = self._drafts[name]
        fidelity = FidelityAccumulator(self._request.golden)
        agreement = self._host.comparison(draft.subject, self._device.name)
        samples = self._request.samples
        job = self._job((name,), self._request.inputs, outputs=samples, explain=True)
        record = self._run(job, f"checking {name}", (name,), fidelity, agreement)
        draft.add_alone(record)
        record.raise_if_lost()
        if self._is_fine(name):
            draft.fidelity, draft.agreement = fidelity.result(), agreement.result()

    def _time(self, work: Work) -> None:
        members = tuple(name for name in work.members if self._is_fine(name))
        timed = tuple(name for name in work.timed if self._is_fine(name))
        if not timed:
            return
        job = self._job(members, self._request.inputs, plan=self._request.plan.worker)
        record = self._run(job, f"timing {', '.join(timed)}", timed)
        for name in timed:
            self._drafts[name].timings[work.process] = record.models
        record.raise_if_lost()

    def _evaluate(self, work: Work, data: Evaluation, labelled: LabelledOutput) -> None:
        (name,) = work.members
        if not self._is_fine(name):
            return
        judge = open_judge(labelled)
        job = self._job((name,), data.inputs, outputs=-1)
        record = self._run(job, f"evaluating {name}", (name,), judge)
        self._drafts[name].add_alone(record)
        record.raise_if_lost()
        if not self._is_fine(name):
            return
        if labelled.metric:
            # It may be called a thousand times more, for its interval.
            self._report(f"judging {name}", self._pace.left_s(self._works[self._done + 1 :]))
        try:
            self.judgements[name] = judge.result()
        except DataError as error:
            self._drafts[name].fail(str(error))
        else:
            self._drafts[name].accuracy = self.judgements[name].accuracy

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
        """Run one process. An error that names no model is one of all the models concerned."""
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
            for failed in (name,) if name in self._drafts else concerned:
                self._drafts[failed].fail(reason)
        self._note_environment(record)
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

    def _note_environment(self, record: ProcessRecord) -> None:
        """Keep what the first process says; engines are known as their models are loaded."""
        engines = self.environment.get("engines", {})
        for model in record.models.values():
            if model.engine:
                engines[model.engine] = model.engine_version
        self.environment = {**record.environment, **self.environment, "engines": engines}
