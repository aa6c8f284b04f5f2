"""Measuring: jobs go to devices, results come out.

What fails is a row with its reason; everything else continues.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from edgekit._version import __version__
from edgekit.bench.accuracy.labels import LabelledOutput, labelled_output
from edgekit.bench.accuracy.paired import Judgements, compared_rows
from edgekit.bench.candidates import Candidate, candidates_of
from edgekit.bench.counting import CountingBench
from edgekit.bench.host_answers import HostAnswers
from edgekit.bench.progress import Progress, ReportProgress
from edgekit.bench.request import BenchRequest
from edgekit.bench.timing import TimingBench
from edgekit.reasons.rules import with_reasons
from edgekit.results.results import Results, Row
from edgekit_runtimes.devices import (
    CountingDevice,
    Device,
    KeepingDevice,
    device_word,
    open_device,
)
from edgekit_runtimes.errors import ConnectionLostError, DeviceError, UsageError

BROWSER_DEVICE = "browser"


def run_bench(request: BenchRequest, progress: ReportProgress | None = None) -> Results:
    """Measure all subjects on all devices.

    Raises UsageError for an unknown device or if there is nothing to measure, DeviceError for a
    device that cannot be reached, DataError for labels that do not fit. Anything else that goes
    wrong is a row with the status "failed".
    """
    if not request.subjects:
        raise UsageError("There is no artifact to measure.")
    labelled = _check_labels(request)
    rows: list[Row] = []
    judgements: Judgements = {}
    host = HostAnswers(request)
    environments: dict[str, Mapping[str, Any]] = {}
    with contextlib.ExitStack() as stack:
        # All of them before any work: a wrong word must not end a bench halfway.
        specs = dict.fromkeys(request.devices)
        options = request.device_options
        if options.browser and BROWSER_DEVICE not in map(device_word, specs):
            raise UsageError("--browser is for browser devices: add --on browser:wasm, say.")
        devices = [stack.enter_context(open_device(spec, options)) for spec in specs]
        if request.clean and not any(isinstance(device, KeepingDevice) for device in devices):
            raise UsageError("--clean is for devices over SSH: nothing is kept on the others.")
        candidates = list(candidates_of(request, devices))
        for device, there in zip(devices, candidates, strict=True):
            bench = _open_bench(device, request, there, host, labelled, progress)
            try:
                with device, _cleaned(device, request.clean):
                    measured = bench.run()
            except DeviceError as error:
                measured = bench.give_up(str(error))
            rows += measured
            environments[device.name] = bench.environment
            for (engine, name), judgement in bench.judgements.items():
                judgements[device.name, engine, name] = judgement
    return Results(
        bundle=request.bundle,
        edgekit=__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        plan=request.plan,
        threads=request.threads,
        samples=request.samples,
        noise=request.noise,
        stands_in=request.stands_in,
        files=request.files,
        environments=environments,
        rows=tuple(
            with_reasons(
                compared_rows(rows, judgements), request.subjects, environments, request.threads
            )
        ),
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
        # If the connection is lost, what ran over it has said so.
        with contextlib.suppress(ConnectionLostError):
            device.clean()


def _open_bench(
    device: Device,
    request: BenchRequest,
    candidates: Sequence[Candidate],
    host: HostAnswers,
    labelled: LabelledOutput | None,
    progress: ReportProgress | None,
) -> CountingBench | TimingBench:
    """Return the bench that suits the device: one that times, or one that counts."""
    if not isinstance(device, CountingDevice):
        return TimingBench(device, request, candidates, host, labelled, progress)

    def report(done: int, total: int, text: str) -> None:
        if progress:
            progress(Progress(device.name, done, total, text))

    return CountingBench(device, request, candidates, host, report)


def _check_labels(request: BenchRequest) -> LabelledOutput | None:
    data = request.evaluation
    if data is None:
        return None
    first = np.load(next(iter(data.inputs.values())), mmap_mode="r", allow_pickle=False)
    return labelled_output(data.labels, len(first), request.golden, data.output, data.metric)
