"""How long single runs took: one histogram per row, all on one logarithmic axis.

The raw samples are counted here; the page holds the bars.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgekit.report.columns import figure_columns
from edgekit.report.html.scale import TICK, LogScale, scale_of, ticks
from edgekit.report.html.table import PictureColumn, table
from edgekit.results.figures.naming import RowNames
from edgekit.results.figures.registry import figure_called
from edgekit.results.results import Row
from edgekit.text.table import Column, names_column
from edgekit.text.units import TIME_UNITS, Unit, pick_unit, significant
from edgekit_runtimes.tensors import Array

# Bars across the whole axis: more would not be told apart on a screen, and each weighs 10 bytes.
BARS = 200
HEIGHT = 20
# Figures beside the bars.
BASIS = ("runs", "outliers")
CAPTION = (
    "Bars: how many runs took that long, on a logarithmic scale, so that a single slow run shows. "
    "Line: the median. Warm-up is in no figure; outliers are counted and stay in."
)


@dataclass(frozen=True)
class RowTimes:
    """A row's measured samples in ns, of which there is at least one."""

    row: Row
    key: str
    values: Array


def distributions(rows: Sequence[Row], keys: Sequence[str], label: str) -> str:
    """Return the table of histograms, "" where no row has samples of time."""
    measured = [
        RowTimes(row, key, values)
        for row, key in zip(rows, keys, strict=True)
        if row.unit == "ns" and (values := _measured(row)).size
    ]
    if not measured:
        return ""
    # A coarse clock (a browser's) reads 0 for what is shorter than its tick: that has no place on
    # the axis, and is drawn at its beginning.
    seen = [one.values[one.values > 0] for one in measured]
    ends = [float(end) for values in seen if values.size for end in (values.min(), values.max())]
    scale = scale_of(ends or [1.0], 0, BARS)
    unit = pick_unit(ends, TIME_UNITS)

    def column(header: str, values: Sequence[float]) -> Column:
        return Column(header, tuple(significant(value / unit.size) for value in values), "time")

    names = RowNames(rows)
    pictures = tuple(_histogram(one.values, scale) for one in measured)
    columns: list[Column | PictureColumn] = [
        names_column([names.of(one.row) for one in measured]),
        PictureColumn(_axis(scale, unit), pictures, "runs"),
        column(f"min\n{unit.word}", [float(one.values.min()) for one in measured]),
        column("p99", [float(np.quantile(one.values, 0.99)) for one in measured]),
        column("max", [float(one.values.max()) for one in measured]),
        *figure_columns([figure_called(key) for key in BASIS], [one.row for one in measured]),
    ]
    return table(label, columns, [one.key for one in measured])


def count_spread(rows: Sequence[Row]) -> float | None:
    """Return by which share the counts of one artifact differ at most; None without counts."""
    counts = [_measured(row) for row in rows if row.unit == "instructions"]
    spreads = [float(one.max() / one.min() - 1) for one in counts if one.size and one.min() > 0]
    return max(spreads, default=None)


def _measured(row: Row) -> Array:
    samples = [block.samples for block in row.blocks if block.phase == "measure"]
    return np.array([sample for block in samples for sample in block], np.float64)


def _histogram(values: Array, scale: LogScale) -> str:
    values = np.maximum(values, scale.low)
    places = np.log(values / scale.low) / math.log(scale.high / scale.low) * BARS
    counts = np.bincount(np.clip(places.astype(int), 0, BARS - 1), minlength=BARS)
    # A single run still is a bar of some height.
    tall = np.ceil(np.log1p(counts) / math.log1p(counts.max()) * HEIGHT).astype(int)
    middle = f"{scale.place(float(np.median(values))):.1f}"
    return (
        f'<svg viewBox="0 0 {BARS} {HEIGHT}" preserveAspectRatio="none" aria-hidden="true">'
        f'<path d="{_bars(tall.tolist())}"/><path class="median" d="M{middle} 0V{HEIGHT}"/></svg>'
    )


def _bars(heights: Sequence[int]) -> str:
    """Return the outline of the bars: one closed shape for each run of bars that touch."""
    path = ""
    now = 0
    for number, height in enumerate([*heights, 0]):
        if height == now:
            path += "h1" if now else ""
            continue
        if now == 0:
            path += f"M{number} {HEIGHT}"
        path += f"v{now - height}"
        path += "h1" if height else "z"
        now = height
    return path


def _axis(scale: LogScale, unit: Unit) -> str:
    """Return the axis as text, which stays readable if the pictures are squeezed."""
    marks = "".join(
        f'<span style="left:{scale.place(value * unit.size) / BARS:.1%}">{value:{TICK}}</span>'
        for value in ticks(scale.low / unit.size, scale.high / unit.size)
    )
    return f'<span class="word">time of a run, {unit.word}</span><span class="ticks">{marks}</span>'
