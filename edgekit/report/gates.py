"""Verdicts on gates: one line a broken gate, and the table of all."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgekit.gates.units import BYTES, COUNT, TIME
from edgekit.text.units import BYTE_UNITS, COUNT_UNITS, TIME_UNITS, pick_unit

if TYPE_CHECKING:
    from rich.console import Console

    from edgekit.gates.gate import Gate, Verdict

# A gate that all of twenty artifacts break is one line all the same.
ROWS_IN_LINE = 4
# More digits than this show nothing but rounding.
MOST_DIGITS = 12

# A value stands in the unit of its limit where it has so many digits there that it can be read.
SMALLEST_SHOWN, LARGEST_SHOWN = 0.01, 100_000
OTHER_UNITS = {BYTES.words: BYTE_UNITS, TIME.words: TIME_UNITS, COUNT.words: COUNT_UNITS}

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


def broken_lines(verdicts: Iterable[Verdict], runs: Sequence[str] = ()) -> list[str]:
    """Return one line for each broken gate: its rows, the worst first.

    runs: the names of the results, where there are several.
    """
    lines = []
    for gate, found in _by_gate(verdicts):
        broken = [verdict for verdict in found if not verdict.is_held]
        if broken:
            texts = [_sentence(verdict, runs) for verdict in broken[:ROWS_IN_LINE]]
            more = f" and {len(broken) - ROWS_IN_LINE} more" if len(broken) > ROWS_IN_LINE else ""
            lines.append(f"Gate broken: {gate.text}: {', '.join(texts)}{more}")
    return lines


def table_lines(verdicts: Iterable[Verdict], runs: Sequence[str] = ()) -> list[Line]:
    """Return a line for each row that breaks a gate, and one for each gate that holds.

    Of a gate that holds the row stands there that is closest to breaking it.
    """
    lines = []
    for gate, found in _by_gate(verdicts):
        broken = [verdict for verdict in found if not verdict.is_held]
        if broken:
            lines += [
                Line(gate.text, "broken", _row(verdict, runs), _value(verdict))
                for verdict in broken
            ]
        else:
            count = f" (closest of {len(found)})" if len(found) > 1 else ""
            text = _row(found[0], runs) + count
            lines.append(Line(gate.text, "held", text, _value(found[0])))
    return lines


def print_verdicts(verdicts: Sequence[Verdict], console: Console, runs: Sequence[str] = ()) -> None:
    """Print the table of all gates."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for heading in HEADINGS:
        table.add_column(heading, no_wrap=True)
    for line in table_lines(verdicts, runs):
        style = "red" if line.verdict == "broken" else "green"
        gate, verdict, row, value = line.cells
        table.add_row(Text(gate), Text(verdict, style=style), Text(row), Text(value))
    console.print(table, crop=False)


def verdict_line(verdict: Verdict, runs: Sequence[str] = ()) -> str:
    """Return what one verdict says, as "tflite/int8 on host has 87.2 KB"."""
    return _sentence(verdict, runs)


def _by_gate(verdicts: Iterable[Verdict]) -> list[tuple[Gate, list[Verdict]]]:
    """Return the verdicts gate by gate, the worst first."""
    groups: dict[int, tuple[Gate, list[Verdict]]] = {}
    for verdict in verdicts:
        groups.setdefault(id(verdict.gate), (verdict.gate, []))[1].append(verdict)
    return [(gate, sorted(found, key=lambda one: one.slack)) for gate, found in groups.values()]


def _sentence(verdict: Verdict, runs: Sequence[str]) -> str:
    row = _row(verdict, runs)
    if verdict.reason is not None:
        return f"{row}: {verdict.reason}" if row else verdict.reason
    return f"{row} has {_value(verdict)}"


def _row(verdict: Verdict, runs: Sequence[str]) -> str:
    if verdict.id is None:
        return ""
    name = f"{verdict.id} on {verdict.device}"
    return f"{name} in {runs[verdict.run]}" if len(runs) > 1 else name


def _value(verdict: Verdict) -> str:
    if verdict.reason is not None or verdict.judged is None or verdict.value is None:
        return verdict.reason or ""
    judged, measured = (_shown(value, verdict.gate) for value in (verdict.judged, verdict.value))
    return judged if judged == measured else f"{judged} at worst ({measured} measured)"


def _shown(value: float, gate: Gate) -> str:
    """Return a value in the unit of the gate's limit, with three digits.

    There are more where the value would look like the limit and is not, and another unit where the
    two are worlds apart.
    """
    word, size = gate.limit.unit, gate.metric.quantity.units[gate.limit.unit]
    units = OTHER_UNITS.get(gate.metric.quantity.words)
    if units and not SMALLEST_SHOWN <= abs(value) / size < LARGEST_SHOWN:
        unit = pick_unit([abs(value)], units)
        word, size = unit.word, unit.size
    number, limit = value / size, gate.limit.value / size
    digits = 3
    text = _rounded(number, digits)
    while digits < MOST_DIGITS and float(text) == limit and not math.isclose(number, limit):
        digits += 1
        text = _rounded(number, digits)
    return f"{text} {word}".rstrip()


def _rounded(value: float, digits: int) -> str:
    """Return a number with so many significant digits and no exponent."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else str(value)
    rounded = float(f"{value:.{digits - 1}e}")
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
    return f"{rounded:.{decimals}f}"
