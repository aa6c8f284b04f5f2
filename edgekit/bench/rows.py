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
class RowBuilder:
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
        """Return the blocks of the model `name` in this builder's timing processes."""
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


def finished_rows(device: str, builders: Iterable[RowBuilder]) -> list[Row]:
    """Return the rows of all builders of one device, the original's first."""
    by_id = {builder.id: builder for builder in builders}
    candidates = [builder.candidate for builder in by_id.values() if builder.candidate]
    return [_row(device, builder, by_id, candidates) for builder in by_id.values()]


def _row(
    device: str,
    builder: RowBuilder,
    builders: Mapping[str, RowBuilder],
    candidates: Sequence[Candidate],
) -> Row:
    candidate = builder.candidate
    subject = candidate.subject if candidate else None
    is_fine = builder.status == "ok"
    reference = reference_of(candidate, candidates) if candidate else None
    to_fp32, ratio_reason = None, None
    if candidate and is_fine and not candidate.is_reference:
        to_fp32, ratio_reason = _ratio_to_fp32(builder, candidate, reference, builders)
    has_samples = is_fine or builder.interrupted
    measured = builder.blocks(builder.id, "measure") if has_samples else ()
    warmup = builder.blocks(builder.id, "warmup") if has_samples else ()
    samples = [sample for block in measured for sample in block.samples]
    return Row(
        device=device,
        id=builder.row_id,
        format=subject.format if subject else SOURCE_FORMAT,
        recipe=subject.recipe if subject else ORIGINAL,
        engine=builder.engine,
        backend=candidate.engine.backend if candidate else None,
        execution=builder.execution,
        status=builder.status,
        reason=builder.reason,
        bytes=subject.bytes if subject else None,
        wire_bytes=subject.wire_bytes if subject else {},
        load_ns=tuple(builder.load_ns),
        first_run_ns=tuple(builder.first_run_ns),
        download_ns=tuple(builder.download_ns),
        start_ns=tuple(builder.start_ns),
        peak_memory_bytes=builder.peak_memory_bytes,
        blocks=warmup + measured,
        reference_blocks=builder.blocks(reference.id, "measure") if reference and to_fp32 else (),
        statistics=summarize(samples) if samples else None,
        steadiness=builder.steadiness() if samples else None,
        ratio_to_fp32=to_fp32,
        ratio_reason=ratio_reason,
        ratio_to_original=_ratio_to_original(builder, to_fp32, reference, builders),
        fidelity=builder.fidelity,
        agreement_with_host=builder.agreement,
        accuracy=builder.accuracy,
        accuracy_reason=builder.accuracy_reason if is_fine else None,
        damage=subject.damage if subject else None,
        unit=builder.unit,
    )


def _flat(blocks: Sequence[Sequence[int]]) -> list[int]:
    return [sample for block in blocks for sample in block]


def _ratio_to_fp32(
    builder: RowBuilder,
    candidate: Candidate,
    reference: Candidate | None,
    builders: Mapping[str, RowBuilder],
) -> tuple[Ratio | None, str | None]:
    if reference is None:
        missing = f"{candidate.subject.format}/{REFERENCE_RECIPE}"
        return None, f"there is no {missing} to compare with"
    name = reference.subject.id
    if builders[reference.id].status != "ok":
        return None, f"{name} failed, so there is nothing to compare with"
    ratio = builder.ratio_to(reference.id)
    return ratio, None if ratio else f"{name} was not measured beside it"


def _ratio_to_original(
    builder: RowBuilder,
    to_fp32: Ratio | None,
    reference: Candidate | None,
    builders: Mapping[str, RowBuilder],
) -> Ratio | None:
    """Return the measured ratio of an fp32 artifact, and for others the product of two ratios."""
    if ORIGINAL not in builders or builders[ORIGINAL].status != "ok" or builder.id == ORIGINAL:
        return None
    if builder.candidate and builder.candidate.is_reference:
        return builder.ratio_to(ORIGINAL) if builder.status == "ok" else None
    if to_fp32 is None or reference is None:
        return None
    fp32_to_original = builders[reference.id].ratio_to(ORIGINAL)
    return multiply(to_fp32, fp32_to_original) if fp32_to_original else None
