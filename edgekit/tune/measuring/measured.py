"""The evaluator that converts, runs and measures.

Candidates are made by the pipeline into a bundle of the search, where finished ones are kept, and
run by their own engine on this machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from edgekit.bench.request import bench_request
from edgekit.bench.run import run_bench
from edgekit.bundle.bundle import Bundle, load_bundle
from edgekit.bundle.manifest import ArtifactRecord
from edgekit.convert.conversion import run_conversion
from edgekit.convert.request import ConvertRequest
from edgekit.results import plan
from edgekit.tune.candidate import (
    REFERENCE,
    Answers,
    Candidate,
    Evaluation,
    Objective,
)
from edgekit.tune.measuring.answering import Artifact, Reference, outputs_of, reference_of
from edgekit.tune.measuring.samples import Part, Samples
from edgekit_converters.mixing import MODULES, Layer, mixing_of
from edgekit_runtimes.errors import ConversionError, DeviceError, EngineError
from edgekit_runtimes.owned.folder import temporary_folder

Result = TypeVar("Result")


@dataclass(frozen=True)
class Device:
    """Where a cost is measured. objective: "time" or "instructions". spec: as --on wants it."""

    objective: Objective
    spec: str


class MeasuredEvaluator:
    """Makes candidates of one source and measures them.

    request: what all conversions share; its output is the bundle of the search.
    device: None where only bytes count. jobs: how many artifacts are run at once.
    output: which output labels are about.
    """

    def __init__(
        self,
        request: ConvertRequest,
        samples: Samples,
        device: Device | None,
        jobs: int,
        output: str | None,
        progress: Callable[[str], None],
    ) -> None:
        self._request = request
        self._samples = samples
        self._device = device
        self._jobs = jobs
        self._output = output
        self._progress = progress
        self._references: dict[tuple[str, bool], Reference] = {}

    def evaluate(self, candidates: Sequence[Candidate]) -> list[Evaluation]:
        """Make each candidate, run it on the samples of the search and measure its costs."""
        rows = self._made(candidates)
        measured = self._measured(candidates, rows)

        def found(one: Candidate) -> Evaluation:
            row = rows[one.id]
            if row.status != "ok" or row.bytes is None or row.wire is None:
                return Evaluation(one, reason=f"{row.status}: {row.reason}")
            costs: dict[Objective, float] = {"size": row.bytes, "wire": row.wire.brotli}
            cost, reason = measured.get(one.id, (None, ""))
            if self._device and cost is not None:
                costs[self._device.objective] = cost
            try:
                return Evaluation(one, costs, self._answers(row, searched=True), reason)
            except EngineError as error:
                return Evaluation(one, reason=f"failed: {error}")

        return self._each(found, candidates)

    def judge(self, candidates: Sequence[Candidate]) -> list[Answers]:
        """Return how each answers the samples that the search does not see."""
        rows = self._made(candidates)
        return self._each(lambda one: self._answers(rows[one.id], searched=False), candidates)

    def layers(self, format_name: str) -> Sequence[Layer]:
        """Return the layers of the fp32 artifact of a format; none where it does not mix."""
        if format_name not in MODULES:
            return ()
        return mixing_of(format_name).layers(Path(self._reference_artifact(format_name).path))

    def _each(
        self, work: Callable[[Candidate], Result], candidates: Sequence[Candidate]
    ) -> list[Result]:
        with ThreadPoolExecutor(self._jobs) as pool:
            return list(pool.map(work, candidates))

    def _made(self, candidates: Sequence[Candidate]) -> dict[str, ArtifactRecord]:
        """Return the rows of the candidates in the bundle of the search, made where missing."""
        formats = tuple(dict.fromkeys(one.format for one in candidates))
        wanted = [REFERENCE.as_recipe(one, REFERENCE.key) for one in formats]
        wanted += [one.plan.as_recipe(one.format, one.plan.key) for one in candidates]
        recipes = tuple(dict.fromkeys(wanted))
        try:
            run_conversion(replace(self._request, formats=formats, recipes=recipes))
        except ConversionError:
            # No artifact at all could be made: their rows say why.
            if not self._request.folder.exists():
                raise
        bundle = self._bundle()
        return {row.id: row for row in bundle.artifacts}

    def _bundle(self) -> Bundle:
        return load_bundle(self._request.folder)

    def _artifact(self, row: ArtifactRecord) -> Artifact:
        path = self._bundle().artifact_path(row).resolve()
        return Artifact(row.format, str(path), row.engine_options)

    def _reference_artifact(self, format_name: str) -> Artifact:
        name = f"{format_name}/{REFERENCE.key}"
        row = next((one for one in self._bundle().artifacts if one.id == name), None)
        if row is None or row.status != "ok":
            reason = row.reason if row else "it was not made"
            raise ConversionError(f"{name} is what all others are compared with, and {reason}")
        return self._artifact(row)

    def _answers(self, row: ArtifactRecord, searched: bool) -> Answers:
        part = self._samples.search if searched else self._samples.judging
        reference = self._reference(row.format, searched, part)
        self._progress(f"running {row.id}")
        preprocessing = self._bundle().manifest.preprocessing
        return reference.compare(outputs_of(self._artifact(row), part, preprocessing))

    def _reference(self, format_name: str, searched: bool, part: Part) -> Reference:
        key = (format_name, searched)
        if key not in self._references:
            artifact = self._reference_artifact(format_name)
            outputs = outputs_of(artifact, part, self._bundle().manifest.preprocessing)
            self._references[key] = reference_of(outputs, part.labels, self._output)
        return self._references[key]

    def _measured(
        self, candidates: Sequence[Candidate], rows: dict[str, ArtifactRecord]
    ) -> dict[str, tuple[float | None, str]]:
        """Return the share of fp32's cost of each candidate on the device, or why there is none."""
        if self._device is None:
            return {}
        ids = {one.id for one in candidates} | {f"{one.format}/fp32" for one in candidates}
        made = tuple(row for name, row in rows.items() if name in ids and row.status == "ok")
        bundle = self._bundle()
        bundle = replace(bundle, manifest=replace(bundle.manifest, artifacts=made))
        with temporary_folder() as work:
            request = bench_request(bundle, Path(work), (self._device.spec,), plan=plan.QUICK)
            request = replace(request, original=None)
            results = run_bench(request, lambda step: self._progress(str(step)))
        found: dict[str, tuple[float | None, str]] = {}
        for row in results.rows:
            ratio = row.ratio_to_fp32
            is_reference = row.recipe == REFERENCE.key
            share = 1.0 if is_reference and row.statistics else ratio.value if ratio else None
            found[row.id] = (
                share,
                "" if share is not None else str(row.reason or row.ratio_reason),
            )
        if found and all(share is None for share, _ in found.values()):
            raise DeviceError(f"{self._device.spec}: {next(iter(found.values()))[1]}")
        return found
