"""What gates say: one line per broken gate, and the table of all."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgekit.report.terminal.tables import print_table
from edgekit.text.quantities import BYTES, COUNT, TIME
from edgekit.text.table import Column, plain, verdict_style
from edgekit.text.units import pick_unit

if TYPE_CHECKING:
    from rich.console import Console

    from edgekit.gates.gate import Gate
    from edgekit.gates.judging import Outcome

# A gate that all of twenty artifacts break is still one line.
ROWS_IN_LINE = 4
# More digits than this show nothing but rounding.
MOST_DIGITS = 12

# A value is written in the unit of its limit if it can be read with this many digits.
SMALLEST_SHOWN, LARGEST_SHOWN = 0.01, 100_000
HAVE_OTHER_UNITS = (BYTES, TIME, COUNT)

STYLES = {"verdict": verdict_style}
HEADINGS = ("gate", "verdict", "row", "value")


@dataclass(frozen=True)
class Line:
    """One line of the table, as text."""

    gate: str
    verdict: str
    row: str
    value: str

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """The cells in the order of `HEADINGS`."""
        return self.gate, self.verdict, self.row, self.value


def broken_lines(outcomes: Iterable[Outcome], runs: Sequence[str] = ()) -> list[str]:
    """Return one line for each broken gate: its rows, the worst first.

    runs: the names of the results, where there are several.
    """
    lines = []
    for gate, found in _by_gate(outcomes):
        broken = [outcome for outcome in found if not outcome.is_held]
        if broken:
            texts = [outcome_line(outcome, runs) for outcome in broken[:ROWS_IN_LINE]]
            more = f" and {len(broken) - ROWS_IN_LINE} more" if len(broken) > ROWS_IN_LINE else ""
            lines.append(f"Gate broken: {gate.text}: {', '.join(texts)}{more}")
    return lines


def table_lines(outcomes: Iterable[Outcome], runs: Sequence[str] = ()) -> list[Line]:
    """Return a line for each row that breaks a gate, and one for each gate that holds.

    For a gate that holds, the line is about the row that is closest to breaking it.
    """
    lines = []
    for gate, found in _by_gate(outcomes):
        broken = [outcome for outcome in found if not outcome.is_held]
        if broken:
            lines += [
                Line(gate.text, "broken", row_text(outcome, runs), _value(outcome))
                for outcome in broken
            ]
        else:
            count = f" (closest of {len(found)})" if len(found) > 1 else ""
            text = row_text(found[0], runs) + count
            lines.append(Line(gate.text, "held", text, _value(found[0])))
    return lines


def gate_columns(outcomes: Iterable[Outcome], runs: Sequence[str] = ()) -> list[Column]:
    """Return the table of all gates; empty if there are no gates."""
    lines = table_lines(outcomes, runs)
    cells = zip(*(line.cells for line in lines), strict=True)
    return [
        Column(heading, texts, is_text=True, style=STYLES.get(heading, plain))
        for heading, texts in zip(HEADINGS, cells, strict=False)
    ]


def print_outcomes(outcomes: Sequence[Outcome], console: Console, runs: Sequence[str] = ()) -> None:
    """Print the table of all gates."""
    print_table(gate_columns(outcomes, runs), console)


def _by_gate(outcomes: Iterable[Outcome]) -> list[tuple[Gate, list[Outcome]]]:
    """Return the outcomes gate by gate, the worst first."""
    groups: dict[int, tuple[Gate, list[Outcome]]] = {}
    for outcome in outcomes:
        groups.setdefault(id(outcome.gate), (outcome.gate, []))[1].append(outcome)
    return [(gate, sorted(found, key=lambda one: one.slack)) for gate, found in groups.values()]


def outcome_line(outcome: Outcome, runs: Sequence[str] = ()) -> str:
    """Return what a gate says about one row, as "tflite/int8 on host has 87.2 KB"."""
    row = row_text(outcome, runs)
    if outcome.reason is not None:
        return f"{row}: {outcome.reason}" if row else outcome.reason
    return f"{row} has {_value(outcome)}"


def row_text(outcome: Outcome, runs: Sequence[str]) -> str:
    """Return which row it is about, as "tflite/int8 on host"; "" if the gate matched none."""
    is_of_several = outcome.row and len(runs) > 1
    return f"{outcome.place} in {runs[outcome.run]}" if is_of_several else outcome.place


def _value(outcome: Outcome) -> str:
    if outcome.reason is not None or outcome.judged is None or outcome.value is None:
        return outcome.reason or ""
    judged, measured = (_shown(value, outcome.gate) for value in (outcome.judged, outcome.value))
    return judged if judged == measured else f"{judged} at worst ({measured} measured)"


def _shown(value: float, gate: Gate) -> str:
    """Return a value in the unit of the gate's limit, with three digits.

    There are more digits if the value would look like the limit and is not, and another unit if the
    two are far apart.
    """
    quantity = gate.goal.quantity
    word, size = gate.limit.unit, quantity.limits[gate.limit.unit]
    is_readable = SMALLEST_SHOWN <= abs(value) / size < LARGEST_SHOWN
    if quantity in HAVE_OTHER_UNITS and not is_readable:
        unit = pick_unit([abs(value)], quantity.shown)
        word, size = unit.word, unit.size
    number, limit = value / size, gate.limit.value / size
    digits = 3
    text = _rounded(number, digits)
    while digits < MOST_DIGITS and float(text) == limit and not math.isclose(number, limit):
        digits += 1
        text = _rounded(number, digits)
    return f"{text} {word}".rstrip()


def _rounded(value: float, digits: int) -> str:
    """Return a number with this many significant digits and no exponent."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else str(value)
    rounded = float(f"{value:.{digits - 1}e}")
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
    return f"{rounded:.{decimals}f}"
