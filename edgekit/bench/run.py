"""Measuring: jobs go to devices, results come out.

What fails is a row with its reason; everything else goes on.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

import numpy as np

import edgekit
from edgekit.bench.accuracy import AccuracyAccumulator, LabelledOutput, labelled_output
from edgekit.bench.count import CountingBench
from edgekit.bench.draft import Draft, finished_rows
from edgekit.bench.fidelity import FidelityAccumulator
from edgekit.bench.plan import ORIGINAL, QUICK, BenchPlan, Group, groups, schedule
from edgekit.bench.record import ProcessRecord, read_events
from edgekit.bench.results import Results, Row
from edgekit.bench.subject import Subject
from edgekit_runtimes.devices import CountingDevice, Device, KeepingDevice, open_device
from edgekit_runtimes.errors import ConnectionLostError, DeviceError, UsageError
from edgekit_runtimes.job import Job, JobModel, Plan
from edgekit_runtimes.tensors import Array, Arrays, Preprocessing

# The original needs its framework, and only the environment that edgekit runs in is known to
# have it.
ORIGINAL_DEVICE = "host"


@dataclass(frozen=True)
class Evaluation:
    """Labelled data.

    inputs: a .npy file for each input, samples along the first axis, before preprocessing.
    labels: one a sample: integers for classification, floats for regression.
    output: which output they are about; None is enough where there is only one.
    """

    inputs: Mapping[str, str]
    labels: Array
    output: str | None = None


@dataclass(frozen=True)
class BenchRequest:
    """What to measure, and where.

    inputs: golden samples, a .npy file for each input, before preprocessing.
    golden: the original's outputs on them, samples along the first axis.
    noise: whether the golden samples are noise.
    original: the source with the engine that runs it, under the id "original".
    clean: whether to leave nothing on devices that keep what is copied to them.
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

    @property
    def samples(self) -> int:
        """How many golden samples there are."""
        return len(next(iter(self.golden.values())))


@dataclass(frozen=True)
class Progress:
    """How far a bench is on one device: `done` of `total` worker processes, and what runs now."""

    device: str
    done: int
    total: int
    text: str


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
    environments: dict[str, Mapping[str, Any]] = {}
    with contextlib.ExitStack() as stack:
        # All of them before any work: a wrong word must not end a bench half way.
        specs = dict.fromkeys(request.devices)
        devices = [stack.enter_context(open_device(spec)) for spec in specs]
        if request.clean and not any(isinstance(device, KeepingDevice) for device in devices):
            raise UsageError("--clean is for devices over SSH: nothing is kept on the others.")
        for device in devices:
            bench = _open_bench(device, request, labelled, progress)
            try:
                with device, _cleaned(device, request.clean):
                    measured = bench.run()
            except DeviceError as error:
                measured = bench.give_up(str(error))
            rows += measured
            environments[device.name] = bench.environment
    return Results(
        edgekit=edgekit.__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        plan=request.plan,
        threads=request.threads,
        samples=request.samples,
        noise=request.noise,
        environments=environments,
        rows=tuple(rows),
    )


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
    labelled: LabelledOutput | None,
    progress: ReportProgress | None,
) -> CountingBench | _DeviceBench:
    """Return the bench that suits the device: one that times, or one that counts."""
    if not isinstance(device, CountingDevice):
        return _DeviceBench(device, request, labelled, progress)

    def report(done: int, total: int, text: str) -> None:
        if progress:
            progress(Progress(device.name, done, total, text))

    return CountingBench(device, request, report)


def _check_labels(request: BenchRequest) -> LabelledOutput | None:
    data = request.evaluation
    if data is None:
        return None
    first = np.load(next(iter(data.inputs.values())), mmap_mode="r", allow_pickle=False)
    return labelled_output(data.labels, len(first), request.golden, data.output)


class _Accumulator(Protocol):
    """What takes in outputs as they arrive."""

    def add(self, start: int, outputs: Mapping[str, Array]) -> None: ...


class _DeviceBench:
    """One bench on one device."""

    def __init__(
        self,
        device: Device,
        request: BenchRequest,
        labelled: LabelledOutput | None,
        progress: ReportProgress | None,
    ) -> None:
        self.environment: dict[str, Any] = {}
        self._device = device
        self._request = request
        self._labelled = labelled
        self._progress = progress
        self._done = self._total = 0
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
        processes = self._request.plan.processes
        self._total = len(self._models) * (2 if self._labelled else 1)
        self._total += processes * len(self._groups())
        for name in self._models:
            self._check(name)
        for process, group in schedule(self._groups(), processes):
            self._time(process, group)
        if self._labelled and self._request.evaluation:
            for name in self._models:
                self._evaluate(name, self._request.evaluation, self._labelled)

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
            self._models[subject.id] = self._with_threads(
                JobModel(subject.id, choice.module, str(subject.path), subject.engine_options)
            )

    def _with_threads(self, model: JobModel) -> JobModel:
        return replace(model, options={**model.options, "threads": self._request.threads})

    def _groups(self) -> list[Group]:
        subjects = [subject for subject in self._request.subjects if self._is_fine(subject.id)]
        return groups(subjects, self._is_fine(ORIGINAL))

    def _is_fine(self, name: str) -> bool:
        return name in self._models and self._drafts[name].status == "ok"

    def _check(self, name: str) -> None:
        accumulator = FidelityAccumulator(self._request.golden)
        job = self._job((name,), self._request.inputs, outputs=self._request.samples)
        record = self._run(job, f"checking {name}", (name,), accumulator)
        self._drafts[name].add_alone(record)
        record.raise_if_lost()
        if self._is_fine(name):
            self._drafts[name].fidelity = accumulator.result()

    def _time(self, process: int, group: Group) -> None:
        members = tuple(name for name in group.members if self._is_fine(name))
        timed = tuple(name for name in group.timed if self._is_fine(name))
        if not timed:
            self._done += 1
            return
        job = self._job(members, self._request.inputs, plan=self._request.plan.worker)
        record = self._run(job, f"timing {', '.join(timed)}", timed)
        for name in timed:
            self._drafts[name].timings[process] = record.models
        record.raise_if_lost()

    def _evaluate(self, name: str, data: Evaluation, labelled: LabelledOutput) -> None:
        if not self._is_fine(name):
            self._done += 1
            return
        accumulator = AccuracyAccumulator(labelled)
        job = self._job((name,), data.inputs, outputs=-1)
        record = self._run(job, f"evaluating {name}", (name,), accumulator)
        self._drafts[name].add_alone(record)
        record.raise_if_lost()
        if self._is_fine(name):
            self._drafts[name].accuracy = accumulator.result()

    def _job(
        self,
        names: Sequence[str],
        inputs: Mapping[str, str],
        plan: Plan | None = None,
        outputs: int = 0,
    ) -> Job:
        models = tuple(self._models[name] for name in names)
        return Job(models, inputs, self._request.preprocessing, plan, outputs)

    def _run(
        self,
        job: Job,
        text: str,
        concerned: Sequence[str],
        accumulator: _Accumulator | None = None,
    ) -> ProcessRecord:
        """Run one process. An error that names no model is one of all the models concerned."""
        if self._progress:
            self._progress(Progress(self._device.name, self._done, self._total, text))

        def take_outputs(_: str, start: int, outputs: Arrays) -> None:
            if accumulator:
                accumulator.add(start, outputs)

        record = read_events(self._device.run(job), take_outputs)
        self._done += 1
        for name, reason in record.errors.items():
            for failed in (name,) if name in self._drafts else concerned:
                self._drafts[failed].fail(reason)
        self._note_environment(record)
        return record

    def _note_environment(self, record: ProcessRecord) -> None:
        """Keep what the first process says; engines are known as their models are loaded."""
        engines = self.environment.get("engines", {})
        for model in record.models.values():
            if model.engine:
                engines[model.engine] = model.engine_version
        self.environment = {**record.environment, **self.environment, "engines": engines}
