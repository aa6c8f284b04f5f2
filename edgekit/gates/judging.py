"""Judging: what gates say of rows."""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edgekit.gates.gate import Gate, fits, json_number, names_of
from edgekit.results.figures.measured import Found, Measured
from edgekit.results.figures.naming import RowNames
from edgekit.results.results import Results, Row

NO_INTERVAL = "it has no interval: it was measured in one process, or on too few samples"


@dataclass(frozen=True)
class Outcome:
    """What a gate says about one row, in base units.

    row, name: the row and what it is called; None and "" if the gate matched no row.
    value: as measured. judged: the pessimistic end of its interval.
    reason: why it is broken if no figure says so.
    run: which of several results, from 0.
    """

    gate: Gate
    is_held: bool
    row: Row | None = None
    name: str = ""
    value: float | None = None
    judged: float | None = None
    reason: str | None = None
    run: int = 0

    @property
    def place(self) -> str:
        """The row and its device, as "tflite/int8 on host"; "" if the gate matched no row."""
        return f"{self.name} on {self.row.device}" if self.row else ""

    @property
    def slack(self) -> float:
        """How far the limit is from being broken, in base units: the least is the worst."""
        if self.judged is None or math.isnan(self.judged):
            return -math.inf
        distance = self.gate.limit.value - self.judged
        return distance if self.gate.is_upper else -distance

    def to_json(self, runs: Sequence[str] = ()) -> dict[str, Any]:
        """Return the JSON form; NaN and infinite values are strings.

        runs: the names of the results.
        """
        row = self.row
        return {
            "gate": self.gate.text,
            "metric": self.gate.goal.name,
            "device": row and row.device,
            "engine": row and row.engine,
            "id": row and row.id,
            "held": self.is_held,
            "value": json_number(self.value),
            "judged": json_number(self.judged),
            "limit": self.gate.limit.value,
            "reason": self.reason,
            "results": runs[self.run] if runs and row else None,
        }


def judge(gates: Sequence[Gate], runs: Sequence[Results]) -> list[Outcome]:
    """Return the outcome of each gate for each row that it concerns, gate after gate.

    runs: the rows of all of them are judged alike.
    """
    rows = [row for results in runs for row in results.rows]
    names = [RowNames(results.rows) for results in runs]
    outcomes: list[Outcome] = []
    for gate in gates:
        found = [
            outcome
            for number, results in enumerate(runs)
            for row in results.rows
            if gate.selects(row) and gate.goal.concerns(row)
            for outcome in (
                outcome_of(gate, row, names[number].of(row), _found(gate, row, results), number),
            )
            if outcome is not None
        ]
        outcomes += found or missing(gate, rows)
    return outcomes


def outcome_of(gate: Gate, row: Row, name: str, found: Found, run: int = 0) -> Outcome | None:
    """Return what a gate says about a row; None if the gate does not concern it."""
    if row.status == "not available" or found is None:
        return None
    if isinstance(found, str):
        return Outcome(gate, False, row, name, reason=found, run=run)
    end = found.high if gate.is_upper else found.low
    reason = "it is NaN" if _is_nan(found) else NO_INTERVAL if end is None else None
    is_held = reason is None and end is not None and gate.holds(end)
    return Outcome(gate, is_held, row, name, found.value, end, reason, run)


def _found(gate: Gate, row: Row, results: Results) -> Found:
    if row.status == "failed":
        return failed_reason(row)
    return gate.goal.read(row, results) if gate.goal.read else None


def _is_nan(found: Measured) -> bool:
    ends = (found.value, found.low, found.high)
    return any(end is not None and math.isnan(end) for end in ends)


def failed_reason(row: Row) -> str:
    """Return why a row that failed breaks its gates."""
    return f"it failed: {row.reason}"


def missing(gate: Gate, rows: Sequence[Row]) -> list[Outcome]:
    """Return the outcome of a gate that matched none of `rows`."""
    return [] if gate.is_lenient else [Outcome(gate, False, reason=_why_none(gate, rows))]


def _why_none(gate: Gate, rows: Sequence[Row]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in names_of(row)))
    for word in gate.words:
        if not any(fits(word, name) for name in names):
            nearest = difflib.get_close_matches(word, names, n=1)
            hint = f"; did you mean '{nearest[0]}'?" if nearest else ""
            return f"no row is called '{word}'{hint}"
    selected = [row for row in rows if gate.selects(row)]
    if not selected:
        words = " and ".join(f"'{word}'" for word in gate.words)
        return f"no row is {words} at once" if words else "the results hold no artifact"
    absent = next((row for row in selected if row.status == "not available"), None)
    if absent is not None and all(row.status == "not available" for row in selected):
        return f"no row was measured: {absent.id} on {absent.device} is not available there"
    origin = f": {gate.goal.origin}" if gate.goal.origin else ""
    return f"no row has {gate.goal.name}{origin}"
