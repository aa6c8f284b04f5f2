"""What changed between two results of the same artifacts, row by row, and gates on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from edgekit.compare.change import Change, change_of
from edgekit.compare.machine import machine_differences, version_changes
from edgekit.gates.gate import Gate
from edgekit.gates.judging import Outcome, failed_reason, missing, outcome_of
from edgekit.results.figures.measured import Found, Measured
from edgekit.results.figures.naming import RowNames
from edgekit.results.figures.registry import compared_figures
from edgekit.results.results import Results, Row
from edgekit_runtimes.errors import UsageError

State = Literal[
    "compared", "appeared", "vanished", "fails", "works again", "not available", "available again"
]


@dataclass(frozen=True)
class RowChange:
    """A row in both results, or in one of them.

    row: the new one, or the old one where it vanished.
    name: what it is called, with its engine if the artifact alone is not unique.
    found: by figure, what can be said of those that both rows have, or why it cannot.
    """

    row: Row
    name: str
    old: Row | None
    new: Row | None
    found: Mapping[str, Change | str]

    @property
    def device(self) -> str:
        """Where both were measured."""
        return self.row.device

    @property
    def id(self) -> str:
        """The artifact."""
        return self.row.id

    @property
    def changes(self) -> dict[str, Change]:
        """The changes by figure."""
        return {name: found for name, found in self.found.items() if isinstance(found, Change)}

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
            "engine": self.row.engine,
            "id": self.id,
            "state": self.state,
            "reason": self.new.reason if self.new else None,
            "changes": [change.to_json() for change in self.changes.values()],
        }


@dataclass(frozen=True)
class Comparison:
    """Two results, row by row.

    obstacles: why they should not be compared.
    notes: what else differs and may have caused a change.
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
    """Return what changed from `old` to `new`. Raises UsageError if they share no row."""
    pairs = _pairs(old.rows, new.rows)
    if not any(mine and other for mine, other in pairs):
        raise UsageError(
            f"The two results have no row in common: {_names(old)} before, {_names(new)} now. "
            "Compare results of the same artifacts on the same devices."
        )
    before, after = RowNames(old.rows), RowNames(new.rows)
    rows = []
    for mine, other in pairs:
        # Where one side has several engines, rows are told apart by them.
        names = [names.of(row) for names, row in ((before, mine), (after, other)) if row]
        found = dict(_found(mine, other, old, new)) if mine and other else {}
        if row := other or mine:
            rows.append(RowChange(row, max(names, key=len), mine, other, found))
    return Comparison(
        old,
        new,
        tuple(rows),
        obstacles=(*machine_differences(old, new), *_model_differences(rows)),
        notes=tuple(_notes(old, new)),
    )


def _pairs(old: Sequence[Row], new: Sequence[Row]) -> list[tuple[Row | None, Row | None]]:
    """Return each row with its counterpart: of the same device, artifact and engine.

    If one engine is left on each side, the two are compared nevertheless: another engine, or
    another Python, may be what the comparison is for, and a row that failed may name no engine.
    """
    after = {_key(row): row for row in new}
    found = [(row, after.pop(_key(row), None)) for row in old]
    lone_old = Counter((row.device, row.id) for row, other in found if other is None)
    lone_new = Counter((row.device, row.id) for row in after.values())
    pairs: list[tuple[Row | None, Row | None]] = []
    for row, other in found:
        place = (row.device, row.id)
        if other is None and lone_old[place] == lone_new[place] == 1:
            (key,) = (key for key in after if key[:2] == place)
            other = after.pop(key)
        pairs.append((row, other))
    return [*pairs, *((None, row) for row in after.values())]


def _key(row: Row) -> tuple[str, str, str | None]:
    return row.device, row.id, row.engine


def _names(results: Results) -> str:
    names = [f"{row.id} on {row.device}" for row in results.rows] or ["none"]
    return ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")


def _found(mine: Row, other: Row, old: Results, new: Results) -> Iterator[tuple[str, Change | str]]:
    """Yield what can be said of each figure that both rows have."""
    if not mine.status == other.status == "ok":
        return
    for name, figure in compared_figures().items():
        if not (figure.concerns(mine) and figure.concerns(other)):
            continue
        was, found = figure.found_in(mine, old), figure.found_in(other, new)
        if isinstance(found, Measured) and isinstance(was, Measured):
            yield name, change_of(figure, mine, other, was, found)
        elif isinstance(found, str) and was is not None:
            yield name, found


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


def judge_changes(gates: Sequence[Gate], comparison: Comparison) -> list[Outcome]:
    """Return the outcome of each gate on a regression for each row that it concerns.

    Only rows that both results have are judged; one that fails now breaks the gates it concerns.
    """
    outcomes: list[Outcome] = []
    for gate in gates:
        found = [
            outcome
            for row in comparison.rows
            if row.old and row.new and gate.selects(row.new) and gate.goal.concerns(row.new)
            for outcome in (outcome_of(gate, row.new, row.name, _judged(gate, row)),)
            if outcome is not None
        ]
        outcomes += found or missing(gate, comparison.new.rows)
    return outcomes


def _judged(gate: Gate, row: RowChange) -> Found:
    if row.new is not None and row.new.status == "failed":
        return failed_reason(row.new)
    found = row.found.get(gate.goal.family)
    return found.regression if isinstance(found, Change) else found
