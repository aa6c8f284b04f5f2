"""A row in the making: what the processes said about one model, until all of them have run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from edgekit.bench.candidates import Candidate, reference_of
from edgekit.results.accuracy import Accuracy
from edgekit.results.agreement import Agreement
from edgekit.results.fidelity import Fidelity
from edgekit.results.plan import ORIGINAL, REFERENCE_RECIPE
from edgekit.results.results import Block, Conditions, Row, Status
from edgekit.results.statistics import (
    Ratio,
    SampleUnit,
    compare,
    compare_counts,
    multiply,
    summarize,
)
from edgekit.results.steadiness import Steadiness, steadiness
from edgekit_runtimes.execution import Execution
from edgekit_runtimes.protocol.events import ModelRecord, Phase, ProcessRecord

SOURCE_FORMAT = "source"


@dataclass
class RowDraft:
    """What is known so far of one model on one device.

    id: how jobs name it. candidate: None for the original.
    timings: what each timing process said, about this model and those beside it.
    interrupted: the device was lost before all was measured; what had arrived by then stays.
    """

    id: str
    candidate: Candidate | None = None
    unit: SampleUnit = "ns"
    engine: str | None = None
    execution: Execution | None = None
    status: Status = "ok"
    reason: str | None = None
    load_ns: list[int] = field(default_factory=list)
    first_run_ns: list[int] = field(default_factory=list)
    download_ns: list[int] = field(default_factory=list)
    start_ns: list[int] = field(default_factory=list)
    peak_memory_bytes: int | None = None
    timings: dict[int, Mapping[str, ModelRecord]] = field(default_factory=dict)
    fidelity: Fidelity | None = None
    agreement: Agreement | None = None
    accuracy: Accuracy | None = None
    accuracy_reason: str | None = None
    interrupted: bool = False

    def __post_init__(self) -> None:
        if self.candidate:
            choice = self.candidate.engine
            self.engine = choice.word
            if choice.module is None:
                self.status, self.reason = "not available", choice.reason

    @property
    def row_id(self) -> str:
        """How results name the artifact, whatever runs it."""
        return self.candidate.subject.id if self.candidate else ORIGINAL

    def fail(self, reason: str) -> None:
        """Make it a failed row; the first reason stays."""
        if self.status == "ok":
            self.status, self.reason = "failed", reason

    def interrupt(self, reason: str) -> None:
        """Make it a failed row that keeps its samples."""
        if self.status == "ok":
            self.interrupted = True
            self.fail(reason)

    def add_alone(self, record: ProcessRecord) -> None:
        """Take in a process in which the model was alone: only there load times are fair.

        Beside another model of its engine it would find libraries and memory ready.
        """
        model = record.models.get(self.id)
        if model is None:
            return
        self.engine = model.engine or self.engine
        self.execution = model.execution or self.execution
        # The first: a process that judges thousands of samples holds more than the model.
        self.peak_memory_bytes = self.peak_memory_bytes or record.peak_memory_bytes
        if model.load_ns is not None:
            self.load_ns.append(model.load_ns)
        if model.first_run_ns is not None:
            self.first_run_ns.append(model.first_run_ns)
        if model.download_ns is not None:
            self.download_ns.append(model.download_ns)
        if model.start_ns is not None:
            self.start_ns.append(model.start_ns)

    def blocks(self, name: str, phase: Phase) -> tuple[Block, ...]:
        """Return the blocks of the model `name` in this draft's timing processes."""
        return tuple(
            Block(process, phase, tuple(samples), cast("Conditions | None", conditions))
            for process, models in self.timings.items()
            if name in models
            for samples, conditions in models[name].blocks_with_conditions(phase)
        )

    def steadiness(self) -> Steadiness | None:
        """Return how steady the measured times were; None for counts."""
        if self.unit == "instructions":
            return None
        models = [models[self.id] for models in self.timings.values() if self.id in models]
        return steadiness([model.blocks["measure"] for model in models])

    def ratio_to(self, name: str) -> Ratio | None:
        """Return the ratio to the model `name`, over the processes that measured both."""
        pairs = [
            (models[self.id].blocks["measure"], models[name].blocks["measure"])
            for models in self.timings.values()
            if self.id in models and name in models
        ]
        whole = [(mine, other) for mine, other in pairs if mine and len(mine) == len(other)]
        if whole and self.unit == "instructions":
            return compare_counts(*(_flat(blocks) for blocks in whole[0]))
        return (
            compare([mine for mine, _ in whole], [other for _, other in whole]) if whole else None
        )


def finished_rows(device: str, drafts: Iterable[RowDraft]) -> list[Row]:
    """Return the rows of all drafts of one device, the original's first."""
    by_id = {draft.id: draft for draft in drafts}
    candidates = [draft.candidate for draft in by_id.values() if draft.candidate]
    return [_row(device, draft, by_id, candidates) for draft in by_id.values()]


def _row(
    device: str, draft: RowDraft, drafts: Mapping[str, RowDraft], candidates: Sequence[Candidate]
) -> Row:
    candidate = draft.candidate
    subject = candidate.subject if candidate else None
    is_fine = draft.status == "ok"
    reference = reference_of(candidate, candidates) if candidate else None
    to_fp32, ratio_reason = None, None
    if candidate and is_fine and not candidate.is_reference:
        to_fp32, ratio_reason = _ratio_to_fp32(draft, candidate, reference, drafts)
    has_samples = is_fine or draft.interrupted
    measured = draft.blocks(draft.id, "measure") if has_samples else ()
    warmup = draft.blocks(draft.id, "warmup") if has_samples else ()
    samples = [sample for block in measured for sample in block.samples]
    return Row(
        device=device,
        id=draft.row_id,
        format=subject.format if subject else SOURCE_FORMAT,
        recipe=subject.recipe if subject else ORIGINAL,
        engine=draft.engine,
        backend=candidate.engine.backend if candidate else None,
        execution=draft.execution,
        status=draft.status,
        reason=draft.reason,
        bytes=subject.bytes if subject else None,
        wire_bytes=subject.wire_bytes if subject else {},
        load_ns=tuple(draft.load_ns),
        first_run_ns=tuple(draft.first_run_ns),
        download_ns=tuple(draft.download_ns),
        start_ns=tuple(draft.start_ns),
        peak_memory_bytes=draft.peak_memory_bytes,
        blocks=warmup + measured,
        reference_blocks=draft.blocks(reference.id, "measure") if reference and to_fp32 else (),
        statistics=summarize(samples) if samples else None,
        steadiness=draft.steadiness() if samples else None,
        ratio_to_fp32=to_fp32,
        ratio_reason=ratio_reason,
        ratio_to_original=_ratio_to_original(draft, to_fp32, reference, drafts),
        fidelity=draft.fidelity,
        agreement_with_host=draft.agreement,
        accuracy=draft.accuracy,
        accuracy_reason=draft.accuracy_reason if is_fine else None,
        unit=draft.unit,
    )


def _flat(blocks: Sequence[Sequence[int]]) -> list[int]:
    return [sample for block in blocks for sample in block]


def _ratio_to_fp32(
    draft: RowDraft,
    candidate: Candidate,
    reference: Candidate | None,
    drafts: Mapping[str, RowDraft],
) -> tuple[Ratio | None, str | None]:
    if reference is None:
        missing = f"{candidate.subject.format}/{REFERENCE_RECIPE}"
        return None, f"the bundle has no {missing} to compare with"
    name = reference.subject.id
    if drafts[reference.id].status != "ok":
        return None, f"{name} failed, so there is nothing to compare with"
    ratio = draft.ratio_to(reference.id)
    return ratio, None if ratio else f"{name} was not measured beside it"


def _ratio_to_original(
    draft: RowDraft,
    to_fp32: Ratio | None,
    reference: Candidate | None,
    drafts: Mapping[str, RowDraft],
) -> Ratio | None:
    """Return the measured ratio of an fp32 artifact, and for others the product of two ratios."""
    if ORIGINAL not in drafts or drafts[ORIGINAL].status != "ok" or draft.id == ORIGINAL:
        return None
    if draft.candidate and draft.candidate.is_reference:
        return draft.ratio_to(ORIGINAL) if draft.status == "ok" else None
    if to_fp32 is None or reference is None:
        return None
    fp32_to_original = drafts[reference.id].ratio_to(ORIGINAL)
    return multiply(to_fp32, fp32_to_original) if fp32_to_original else None
