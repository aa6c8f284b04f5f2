"""Which artifact is the best on a device, as far as its results tell."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from edgekit.conclusion.between import Timing
from edgekit.results.fidelity import GOOD_SQNR_DB
from edgekit.results.figures.difference import difference_words
from edgekit.results.figures.figure import is_artifact, is_counted
from edgekit.results.results import Row

ALIKE = "not distinguishable"
LONGER = ("slower", "more")


@dataclass(frozen=True)
class LeftOut:
    """A row that is not recommended, however fast and small it is."""

    row: Row
    why: str


@dataclass(frozen=True)
class Conclusion:
    """What the rows of one device come to.

    best: the fastest row first, then those that cannot be told from it; the smallest of them comes
    right after. Empty where every row is left out.
    smallest: of all that still get right what the original does; None likewise.
    avoid: rows that are slower than their fp32, the slowest first.
    counted: whether instructions were compared, not time.
    """

    device: str
    counted: bool
    best: tuple[Row, ...]
    smallest: Row | None
    avoid: tuple[Row, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def choice(self) -> Row | None:
        """The one to take: the smallest of the best."""
        return min(self.best, key=_size, default=None)


def conclusions(rows: Iterable[Row]) -> list[Conclusion]:
    """Return the conclusion of each device that has one: at least two artifacts were measured."""
    devices: dict[str, list[Row]] = {}
    for row in rows:
        devices.setdefault(row.device, []).append(row)
    found = (_conclude(device, mine) for device, mine in devices.items())
    return [conclusion for conclusion in found if conclusion is not None]


def _conclude(device: str, rows: Sequence[Row]) -> Conclusion | None:
    timing = Timing([row for row in rows if is_artifact(row) and row.status == "ok"])
    if len(timing.rows) < 2:
        return None
    left_out = [LeftOut(row, why) for row in timing.rows if (why := why_left_out(row))]
    excluded = {id(entry.row) for entry in left_out}
    sound = [row for row in timing.rows if id(row) not in excluded]
    return Conclusion(
        device=device,
        counted=is_counted(timing.rows[0]),
        best=_best(sound, timing),
        smallest=min(sound, key=_size, default=None),
        avoid=_avoided(sound),
        left_out=tuple(left_out),
    )


def why_left_out(row: Row) -> str:
    """Return why a row is not recommended, "" where nothing speaks against it.

    Labels decide where there are enough of them; else fidelity does.
    """
    if row.accuracy and row.accuracy.nan:
        return "outputs are NaN"
    difference = row.accuracy.difference if row.accuracy else None
    if difference and difference.verdict == "worse":
        return f"accuracy {difference_words(row)}"
    if difference and difference.verdict in ("same", "better"):
        return ""
    if row.fidelity and row.fidelity.nan:
        return "outputs are NaN"
    if row.fidelity and row.fidelity.sqnr_db < GOOD_SQNR_DB:
        return f"low fidelity ({row.fidelity.sqnr_db:.1f} dB)"
    return ""


def _best(rows: Sequence[Row], timing: Timing) -> tuple[Row, ...]:
    if not rows:
        return ()
    first = min(rows, key=lambda row: timing.placed(row).time)
    alike = [row for row in rows if row is not first and timing.ratio(row, first).verdict == ALIKE]
    return (first, *sorted(alike, key=_size))


def _avoided(rows: Sequence[Row]) -> tuple[Row, ...]:
    slow = [row for row in rows if row.ratio_to_fp32 and row.ratio_to_fp32.verdict in LONGER]
    return tuple(sorted(slow, key=lambda row: -row.ratio_to_fp32.value if row.ratio_to_fp32 else 0))


def _size(row: Row) -> float:
    return math.inf if row.bytes is None else row.bytes
