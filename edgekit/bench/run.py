"""Measuring: jobs go to devices, results come out.

What fails is a row with its reason; everything else goes on.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

import edgekit
from edgekit.measure.accuracy.judge import Judgement
from edgekit.measure.accuracy.labels import LabelledOutput, labelled_output
from edgekit.measure.accuracy.metric import Metric
from edgekit.measure.accuracy.paired import compared_rows
from edgekit.measure.count import CountingBench
from edgekit.measure.host_answers import HostAnswers
from edgekit.measure.plan import QUICK, BenchPlan
from edgekit.measure.progress import Progress, ReportProgress
from edgekit.measure.reasons.rules import with_reasons
from edgekit.measure.results import Results, Row
from edgekit.measure.subject import Subject
from edgekit.measure.timing import TimingBench
from edgekit_runtimes.devices import (
    CountingDevice,
    Device,
    DeviceOptions,
    KeepingDevice,
    device_word,
    open_device,
)
from edgekit_runtimes.errors import ConnectionLostError, DeviceError, UsageError
from edgekit_runtimes.job import JobModel
from edgekit_runtimes.tensors import Array, Preprocessing

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

    bundle: the name of it all.
    inputs: golden samples, a .npy file for each input, before preprocessing.
    golden: the original's outputs on them, samples along the first axis.
    noise: whether the golden samples are noise.
    original: the source with the engine that runs it, under the id "original".
    clean: whether to leave nothing on devices that keep what is copied to them.
    browser: which browser devices measure in; None for the installed Chromium.
    engines: the words of the engines to measure ("tfjs"); empty for all.
    """

    bundle: str
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
        bundle=request.bundle,
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
) -> CountingBench | TimingBench:
    """Return the bench that suits the device: one that times, or one that counts."""
    if not isinstance(device, CountingDevice):
        return TimingBench(device, request, host, labelled, progress)

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
