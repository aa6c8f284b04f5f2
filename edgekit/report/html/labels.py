"""The names beside the marks of a picture, placed so that none covers another."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from edgekit.report.html.scale import LogScale

# Room for a label of 10 px: a letter's width, a line's height, the gap to its mark, half of a mark.
LETTER, LINE, GAP, HALF = 5.4, 11, 8, 4
# A name may stand so many lines away from its mark; a thin line leads to it from the second on.
FARTHEST = 9

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Named:
    """A mark that wants its name beside it. left, top: its centre."""

    name: str
    left: float
    top: float


def labels(wanted: Sequence[Named], x: LogScale, y: LogScale) -> list[str]:
    """Return the names of all marks that there is room for; the first are placed first.

    x, y: the axes; names stay between their ends.
    """
    taken = [(at.left - HALF, at.top - HALF, at.left + HALF, at.top + HALF) for at in wanted]
    texts = []
    for mark in wanted:
        for anchor, edge, base in _places(mark):
            box = _box(anchor, edge, base, mark.name)
            inside = box[0] > x.start and box[2] < x.end + HALF
            inside = inside and base < y.start and box[1] > y.end
            if inside and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                texts.append(_text(mark, anchor, edge, base))
                break
    return texts


def _places(mark: Named) -> Iterator[tuple[str, float, float]]:
    """Yield where a name may stand, the best first: its anchor, its edge and its base line."""
    # Under the front there is nothing else, so names go there first.
    for step, side in itertools.product(range(FARTHEST), (1, -1)):
        base = mark.top + (LINE if side > 0 else -5) + side * step * LINE
        for anchor in ("end", ""):
            yield anchor, mark.left - GAP if anchor else mark.left + GAP, base


def _box(anchor: str, edge: float, base: float, name: str) -> Box:
    width = LETTER * len(name)
    left = edge - width if anchor else edge
    return left, base - LINE + 2, left + width, base + 2


def _text(mark: Named, anchor: str, edge: float, base: float) -> str:
    place = f'class="name {anchor}" x="{edge:.1f}" y="{base:.1f}"'
    text = f"<text {place}>{escape(mark.name)}</text>"
    middle = base - LINE / 3
    if abs(middle - mark.top) < 2 * LINE:
        return text
    path = f"M{mark.left:.1f} {mark.top:.1f}L{edge:.1f} {middle:.1f}"
    return f'<path class="leader" d="{path}"/>{text}'


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
