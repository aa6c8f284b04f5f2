"""The ratio to fp32 as a dot on its interval, beside a line at 1."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from edgekit.report.html.scale import LogScale, scale_of
from edgekit.report.html.table import CLASSES, PictureColumn
from edgekit.results.statistics import Ratio
from edgekit.text.table import verdict_style

WIDTH, HEIGHT, MARGIN = 96, 18, 6
# The axis reaches at least this far to both sides of 1: a difference of 1 % must not look large.
LEAST_RATIO = 1.25


def ratio_scale(ratios: Iterable[Ratio | None]) -> LogScale:
    """Return the axis on which all of `ratios` can be drawn."""
    drawn = [ratio for ratio in ratios if ratio and _can_be_drawn(ratio)]
    ends = [end for ratio in drawn for end in (ratio.value, ratio.low, ratio.high) if end]
    return scale_of([*ends, 1 / LEAST_RATIO, LEAST_RATIO], MARGIN, WIDTH - MARGIN)


def whiskers(ratios: Sequence[Ratio | None], scale: LogScale) -> PictureColumn:
    """Return the column of pictures; the numbers are in the column beside it."""
    counted = any(ratio and ratio.counted for ratio in ratios)
    less, more = ("fewer", "more") if counted else ("faster", "slower")
    header = f"‹ {less} | {more} ›"
    return PictureColumn(header, tuple(_picture(ratio, scale) for ratio in ratios), "ratio")


def _can_be_drawn(ratio: Ratio) -> bool:
    ends = (ratio.value, ratio.low, ratio.high)
    return all(end is None or (math.isfinite(end) and end > 0) for end in ends)


def _picture(ratio: Ratio | None, scale: LogScale) -> str:
    if ratio is None or not _can_be_drawn(ratio):
        return ""
    middle = HEIGHT // 2
    kind = CLASSES.get(verdict_style(ratio.verdict), "even")
    one = f'<path d="M{scale.place(1):.1f} 0v{HEIGHT}"/>'
    interval = ""
    if ratio.low is not None and ratio.high is not None:
        interval = f'<path d="M{scale.place(ratio.low):.1f} {middle}H{scale.place(ratio.high):.1f}"'
        interval += f' class="{kind}"/>'
    dot = f'<circle cx="{scale.place(ratio.value):.1f}" cy="{middle}" r="2.5" class="{kind}"/>'
    size = f'width="{WIDTH}" height="{HEIGHT}"'
    return f'<svg {size} aria-hidden="true">{one}{interval}{dot}</svg>'
