"""A conclusion in words."""

from __future__ import annotations

from collections.abc import Sequence

from edgekit.conclusion.conclusion import Conclusion
from edgekit.results import REFERENCE_RECIPE
from edgekit.results.figures.difference import difference_words
from edgekit.results.figures.naming import RowNames
from edgekit.results.results import Row
from edgekit.text.grouping import grouped
from edgekit.text.units import significant

# A sentence names so many rows; a table is right below it.
NAMED = 3


def sentences(conclusion: Conclusion, rows: Sequence[Row]) -> list[str]:
    """Return the conclusion of a device, one sentence a line.

    rows: all that are shown together, as those of a results file.
    """
    said = _Said(conclusion, rows)
    lines = (said.best(), " ".join(filter(None, (said.smallest(), said.avoid()))), said.left_out())
    return [line for line in lines if line]


class _Said:
    """The sentences of one conclusion."""

    def __init__(self, conclusion: Conclusion, rows: Sequence[Row]) -> None:
        self._is = conclusion
        self._names = RowNames(rows)
        self._fp32 = {
            (row.device, row.format): row
            for row in reversed(rows)
            if row.recipe == REFERENCE_RECIPE
        }
        self._unit = "instructions" if conclusion.counted else "time"
        self._first = "Fewest instructions" if conclusion.counted else "Best"

    def best(self) -> str:
        """Return which row to take, and those that cannot be told from it."""
        choice, device = self._is.choice, self._is.device
        if choice is None:
            return f"Nothing to recommend on {device}: every artifact loses too much."
        first = f"{self._first} on {device}: {self._names.of(choice)}{self._facts(choice)}."
        others = self._list([row for row in self._is.best if row is not choice])
        if not others:
            return first
        return f"{first} Not distinguishable from it in {self._unit}: {others}."

    def smallest(self) -> str:
        """Return the smallest row where it is not the best."""
        row, choice = self._is.smallest, self._is.choice
        if row is None or choice is None or row.bytes == choice.bytes:
            return ""
        size = self._size(row).replace("its", f"{self._reference(row)}'s")
        return f"Smallest: {self._names.of(row)}{_colon(size)}."

    def avoid(self) -> str:
        """Return the rows that are slower than their fp32."""
        if not self._is.avoid:
            return ""
        named = self._is.avoid[:NAMED]
        texts = [f"{self._names.of(row)}, {self._ratio(row)}" for row in named]
        more = len(self._is.avoid) - len(named)
        return f"Avoid {'; '.join([*texts, *([f'{more} more'] if more else [])])}."

    def left_out(self) -> str:
        """Return what is not recommended, however fast, and why."""
        named = self._is.left_out[:NAMED]
        said = grouped((entry.why, self._names.of(entry.row)) for entry in named)
        texts = [f"{', '.join(names)} ({why})" for why, names in said.items()]
        more = len(self._is.left_out) - len(named)
        texts += [f"{more} more"] if more else []
        return f"Left out: {'; '.join(texts)}." if texts else ""

    def _facts(self, row: Row) -> str:
        facts = (self._ratio(row), self._size(row), _right(row))
        return _colon(", ".join(filter(None, facts)))

    def _ratio(self, row: Row) -> str:
        ratio = row.ratio_to_fp32
        if ratio is None:
            return ""
        low, high = (None, None) if self._is.counted else (ratio.low, ratio.high)
        of = f"of {self._reference(row)}'s {self._unit}"
        interval = f" [{significant(low)}, {significant(high)}]" if low and high else ""
        return f"{significant(ratio.value)} {of}{interval}"

    def _size(self, row: Row) -> str:
        fp32 = self._fp32.get((row.device, row.format))
        if fp32 is None or fp32 is row or not fp32.bytes or row.bytes is None:
            return ""
        return f"{significant(row.bytes / fp32.bytes)} of its size"

    def _reference(self, row: Row) -> str:
        return f"{row.format}/{REFERENCE_RECIPE}"

    def _list(self, rows: Sequence[Row]) -> str:
        names = [self._names.of(row) for row in rows[:NAMED]]
        more = len(rows) - len(names)
        return ", ".join([*names, *([f"{more} more"] if more else [])])


def _right(row: Row) -> str:
    """Return what a row still gets right: by labels, else against the original."""
    difference = row.accuracy.difference if row.accuracy else None
    if difference and difference.verdict in ("same", "better"):
        return f"accuracy {difference_words(row).replace('same', 'the same', 1)}"
    if row.fidelity is None or row.fidelity.sqnr_db == float("inf"):
        return "" if row.fidelity is None else "outputs exact"
    return f"fidelity {row.fidelity.sqnr_db:.1f} dB"


def _colon(text: str) -> str:
    return f": {text}" if text else ""
