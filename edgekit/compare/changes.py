"""What changed between two results of the same artifacts, row by row, and gates on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from edgekit.compare.change import Change, change_of
from edgekit.compare.machine import machine_differences, version_changes
from edgekit.gates.gate import Gate, Verdict, failed_reason, missing
from edgekit.gates.metrics import COMPARED, compared_figure
from edgekit.gates.readings import Finding, Reading
from edgekit.results.results import Results, Row
from edgekit_runtimes.errors import UsageError

State = Literal[
    "compared", "appeared", "vanished", "fails", "works again", "not available", "available again"
]
# What --max-regression is about. Left out are `ratio`, which changes with fp32's time as well, and
# figures that say the same as one of these.
GENERAL = (
    *("size", "wire.gzip", "wire.brotli", "latency", "instructions"),
    *("fidelity.top1", "accuracy"),
)


@dataclass(frozen=True)
class RowChange:
    """A row in both results, or in one of them.

    findings: by figure, what can be said of those that both rows have, or why it cannot.
    """

    device: str
    id: str
    old: Row | None
    new: Row | None
    findings: Mapping[str, Change | str]

    @property
    def changes(self) -> dict[str, Change]:
        """The changes by figure."""
        return {name: found for name, found in self.findings.items() if isinstance(found, Change)}

    @property
    def state(self) -> State:
        """What became of the row as a whole."""
        if self.old is None:
            return "appeared"
        if self.new is None:
            return "vanished"
        if self.new.status == "failed":
            return "fails"
        if self.new.status == "not available":
            return "not available"
        if self.old.status == "ok":
            return "compared"
        return "works again" if self.old.status == "failed" else "available again"

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "device": self.device,
            "id": self.id,
            "state": self.state,
            "reason": self.new.reason if self.new else None,
            "changes": [change.to_json() for change in self.changes.values()],
        }


@dataclass(frozen=True)
class Comparison:
    """Two results, row by row.

    obstacles: why they should not be compared.
    notes: what else differs and may be behind a change.
    """

    old: Results
    new: Results
    rows: tuple[RowChange, ...]
    obstacles: tuple[str, ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "old": self.old.created,
            "new": self.new.created,
            "obstacles": list(self.obstacles),
            "notes": list(self.notes),
            "rows": [row.to_json() for row in self.rows],
        }


def compare_results(old: Results, new: Results) -> Comparison:
    """Return what changed from `old` to `new`. Raises UsageError where they share no row."""
    before = {(row.device, row.id): row for row in old.rows}
    after = {(row.device, row.id): row for row in new.rows}
    if not before.keys() & after.keys():
        raise UsageError(
            f"The two results have no row in common: {_names(old)} before, {_names(new)} now. "
            "Compare results of the same artifacts on the same devices."
        )
    rows = tuple(
        _row_change(place, before.get(place), after.get(place), old, new)
        for place in dict.fromkeys((*before, *after))
    )
    return Comparison(
        old,
        new,
        rows,
        obstacles=(*machine_differences(old, new), *_model_differences(rows)),
        notes=tuple(_notes(old, new)),
    )


def _names(results: Results) -> str:
    names = [f"{row.id} on {row.device}" for row in results.rows] or ["none"]
    return ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")


def _row_change(
    place: tuple[str, str], mine: Row | None, other: Row | None, old: Results, new: Results
) -> RowChange:
    findings: dict[str, Change | str] = {}
    if mine and other and mine.status == other.status == "ok":
        for figure, metric in COMPARED.items():
            if metric.read is None or not (metric.concerns(mine) and metric.concerns(other)):
                continue
            was, found = metric.read(mine, old), metric.read(other, new)
            if isinstance(found, Reading) and isinstance(was, Reading):
                findings[figure] = change_of(figure, mine, other, was, found)
            elif isinstance(found, str) and was is not None:
                findings[figure] = found
    return RowChange(*place, mine, other, findings)


def _model_differences(rows: Sequence[RowChange]) -> Iterator[str]:
    """Yield how the rows show that two bundles were made of different models.

    A bundle is named by its folder, which may be called anything, and after training again sizes
    differ as they should. Other outputs are another model's.
    """
    for row in rows:
        before, after = (
            sorted(side.fidelity.outputs) if side and side.fidelity else []
            for side in (row.old, row.new)
        )
        if before and after and before != after:
            yield f"the model is another one (outputs {', '.join(before)}, now {', '.join(after)})"
            return


def _notes(old: Results, new: Results) -> Iterator[str]:
    yield from version_changes(old, new)
    if old.bundle != new.bundle:
        yield f"bundle {old.bundle}, now {new.bundle}"
    if old.edgekit != new.edgekit:
        yield f"edgekit {old.edgekit}, now {new.edgekit}"
    if old.plan.name != new.plan.name:
        yield f"plan {old.plan.name}, now {new.plan.name}"
    if (old.samples, old.noise) != (new.samples, new.noise):
        texts = [f"{run.samples} samples{' of noise' if run.noise else ''}" for run in (old, new)]
        yield f"fidelity was judged on {texts[0]}, now on {texts[1]}"
    counts = [
        max((row.accuracy.samples for row in run.rows if row.accuracy), default=0)
        for run in (old, new)
    ]
    if all(counts) and counts[0] != counts[1]:
        yield f"accuracy was judged on {counts[0]:,} samples, now on {counts[1]:,}"


def judge_changes(gates: Sequence[Gate], comparison: Comparison) -> list[Verdict]:
    """Return a verdict for each gate on a regression and each row that it concerns.

    Only rows that both results have are judged; one that fails now breaks the gates it concerns.
    """
    verdicts: list[Verdict] = []
    for gate in gates:
        found = [
            verdict
            for row in comparison.rows
            if row.old and row.new and gate.selects(row.new) and gate.metric.concerns(row.new)
            for verdict in (gate.judge(row.new, _finding(gate, row)),)
            if verdict is not None
        ]
        verdicts += found or missing(gate, comparison.new.rows)
    return verdicts


def _finding(gate: Gate, row: RowChange) -> Finding:
    if row.new is not None and row.new.status == "failed":
        return failed_reason(row.new)
    found = row.findings.get(compared_figure(gate.metric))
    return found.regression if isinstance(found, Change) else found
