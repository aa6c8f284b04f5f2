"""Size against time of one section, with the Pareto front; colour says how much is still right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from edgekit.conclusion.between import Placed, Timing
from edgekit.report.html.labels import Named, labels
from edgekit.report.html.pareto import front
from edgekit.report.html.quality import Quality
from edgekit.report.html.scale import TICK, LogScale, scale_of, ticks
from edgekit.results import REFERENCE_RECIPE
from edgekit.results.figures.figure import Figure, is_counted
from edgekit.results.figures.naming import RowNames
from edgekit.results.figures.registry import figure_called
from edgekit.results.results import Row
from edgekit.text.units import BYTE_UNITS, Unit, pick_unit, significant

WIDTH, HEIGHT = 360, 270
LEFT, RIGHT, TOP, BOTTOM = 46, 350, 10, 230
MARGIN = 0.07
# Each format has its own mark: colour is taken, and not everyone sees it.
MARKS = {"tflite": "circle", "onnx": "square", "tfjs": "triangle"}
OTHER_MARK = "diamond"
SYMBOLS = {
    "circle": '<circle r="4.5"/>',
    "square": '<path d="M-4-4H4V4H-4z"/>',
    "triangle": '<path d="M0-5.5L5.2 3.8H-5.2z"/>',
    "diamond": '<path d="M0-5.5L5 0L0 5.5L-5 0z"/>',
}
# What a verdict calls less time, or fewer instructions.
GAINS = ("faster", "fewer")


@dataclass(frozen=True)
class Mark:
    """One artifact in the picture.

    name: what it is called. key: what its table row is known by to the script.
    placed: its time on the scale that all marks share.
    """

    row: Row
    name: str
    key: str
    size: float
    placed: Placed

    @property
    def time(self) -> float:
        """Its time: fp32's median times its ratio, since medians of different moments mislead."""
        return self.placed.time

    @property
    def times(self) -> tuple[float, ...]:
        """Its time and the ends of its interval."""
        ends = (self.placed.low, self.placed.high)
        return (self.time, *(end for end in ends if end is not None))

    @property
    def shape(self) -> str:
        """The name of its symbol."""
        return MARKS.get(self.row.format, OTHER_MARK)


@dataclass(frozen=True)
class Scatter:
    """The picture of one section.

    marks: the artifacts that have a size and a time; the original does not have a size.
    figure: what the times are: the median, or the fewest of counts.
    timing: how the marks' rows compare.
    """

    title: str
    marks: Sequence[Mark]
    figure: Figure
    quality: Quality | None
    timing: Timing

    def markup(self) -> str:
        """Return the picture with its caption."""
        sizes, times = self._units()
        x = scale_of([mark.size for mark in self.marks], LEFT, RIGHT, MARGIN)
        y = scale_of([time for mark in self.marks for time in mark.times], BOTTOM, TOP, MARGIN)
        on_front = [self.marks[number] for number in self._front()]
        parts = [
            _axes(x, y, sizes, times, f"{self.figure.title()}, {self._word(times)}"),
            _staircase(on_front, x, y),
            *(_interval(mark, x, y) for mark in self.marks),
            *(self._use(mark, x, y) for mark in self.marks),
            *labels(self._named(on_front, x, y), x, y),
        ]
        summary = "; ".join(self._say(mark) for mark in on_front)
        label = f"{self.title}: size against time. On the Pareto front: {summary}"
        picture = "\n".join(parts)
        return (
            f'<figure class="scatter"><h3>{escape(self.title)}</h3>\n'
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="group" aria-label="{escape(label)}">\n'
            f"{picture}\n</svg>\n"
            f"<figcaption>On the Pareto front: {escape(summary)}.</figcaption></figure>"
        )

    def _named(self, first: Sequence[Mark], x: LogScale, y: LogScale) -> list[Named]:
        others = [mark for mark in self.marks if mark not in first]
        return [
            Named(mark.name, x.place(mark.size), y.place(mark.time)) for mark in (*first, *others)
        ]

    def _front(self) -> list[int]:
        def is_faster(one: int, other: int) -> bool:
            ratio = self.timing.ratio(self.marks[one].row, self.marks[other].row)
            return ratio.verdict in GAINS

        return front([mark.size for mark in self.marks], is_faster)

    def _units(self) -> tuple[Unit, Unit]:
        return (
            pick_unit((mark.size for mark in self.marks), BYTE_UNITS),
            pick_unit((mark.time for mark in self.marks), self.figure.quantity.shown),
        )

    def _word(self, unit: Unit) -> str:
        return self.figure.quantity.heading(unit)

    def _use(self, mark: Mark, x: LogScale, y: LogScale) -> str:
        grade = self.quality.grade(mark.row) if self.quality else None
        color = "none" if grade is None else f"g{grade}"
        if mark.row.recipe == REFERENCE_RECIPE:
            color = "hollow"
        said = escape(self._say_all(mark))
        return (
            f'<use href="#{mark.shape}" x="{x.place(mark.size):.1f}" '
            f'y="{y.place(mark.time):.1f}" class="{color}" data-k="{escape(mark.key)}" '
            f'tabindex="0" role="img" aria-label="{said}"><title>{said}</title></use>'
        )

    def _say(self, mark: Mark) -> str:
        """Return a mark in words, as "tflite/int8 (87.2 KB, 38.9 µs)"."""
        sizes, times = self._units()
        size = f"{significant(mark.size / sizes.size)} {sizes.word}"
        return f"{mark.name} ({size}, {significant(mark.time / times.size)} {self._word(times)})"

    def _say_all(self, mark: Mark) -> str:
        """Return a mark in words, with the meaning of its colour."""
        value = self.quality.value(mark.row) if self.quality else None
        if self.quality is None or value is None:
            return self._say(mark)
        return f"{self._say(mark)}, {self.quality.title} {self.quality.text(value)}"


def time_figure(row: Row) -> Figure:
    """Return what is used as the time of a row, as in the table."""
    return figure_called("instructions" if is_counted(row) else "latency.median")


def marks(rows: Sequence[Row], keys: Sequence[str], timing: Timing) -> list[Mark]:
    """Return the marks of the rows that have both a size and a time.

    timing: how the rows compare.
    """
    names, timed = RowNames(rows), {id(row) for row in timing.rows}
    return [
        Mark(row, names.of(row), key, row.bytes, timing.placed(row))
        for row, key in zip(rows, keys, strict=True)
        if row.bytes and id(row) in timed
    ]


def symbols() -> str:
    """Return the marks' shapes, once per page: pictures refer to them."""
    groups = "".join(f'<g id="{name}">{shape}</g>' for name, shape in SYMBOLS.items())
    return f'<svg class="symbols" aria-hidden="true"><defs>{groups}</defs></svg>'


def legend(qualities: Mapping[Quality, Sequence[str]], rows: Iterable[Row]) -> str:
    """Return what marks and colours mean: those that occur.

    qualities: what is graded, with the titles of the pictures that it is graded in.
    rows: those in the pictures.
    """
    lines, rows = [], list(rows)
    coloured = [row for row in rows if row.recipe != REFERENCE_RECIPE]
    for quality, titles in qualities.items():
        where = f" ({', '.join(titles)})" if len(qualities) > 1 else ""
        labels_of_grades = quality.labels()
        grades = sorted({grade for row in coloured if (grade := quality.grade(row)) is not None})
        swatches = " ".join(_swatch(labels_of_grades[grade], grade) for grade in grades)
        if not swatches:
            continue
        lines.append(f"<dt>Colour</dt><dd>{escape(quality.title + where)}: {swatches}</dd>")
    shapes = {MARKS.get(row.format, OTHER_MARK): row.format for row in rows}
    named = " ".join(
        f"<span>{_symbol(shape, 'none')} {escape(name)}</span>" for shape, name in shapes.items()
    )
    if len(coloured) < len(rows):
        named += f" <span>hollow: {REFERENCE_RECIPE}</span>"
    return f'<dl class="legend">{"".join(lines)}<dt>Mark</dt><dd>{named}</dd></dl>'


def _swatch(label: str, grade: int) -> str:
    return f"<span>{_symbol('circle', f'g{grade}')} {escape(label)}</span>"


def _symbol(shape: str, color: str) -> str:
    return (
        f'<svg width="14" height="14" aria-hidden="true">'
        f'<use href="#{shape}" x="7" y="7" class="{color}"/></svg>'
    )


def _axes(x: LogScale, y: LogScale, sizes: Unit, times: Unit, y_title: str) -> str:
    parts = [f'<path class="axis" d="M{LEFT} {TOP}V{BOTTOM}H{RIGHT}"/>']
    for value in ticks(x.low / sizes.size, x.high / sizes.size):
        at = x.place(value * sizes.size)
        parts.append(f'<path class="grid" d="M{at:.1f} {TOP}V{BOTTOM}"/>')
        parts.append(f'<text x="{at:.1f}" y="{BOTTOM + 14}" class="middle">{value:{TICK}}</text>')
    for value in ticks(y.low / times.size, y.high / times.size):
        at = y.place(value * times.size)
        parts.append(f'<path class="grid" d="M{LEFT} {at:.1f}H{RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 5}" y="{at + 3.5:.1f}" class="end">{value:{TICK}}</text>')
    middle = (TOP + BOTTOM) / 2
    named = f"size, {sizes.word}, logarithmic"
    parts.append(f'<text x="{RIGHT}" y="{HEIGHT - 6}" class="end">{named}</text>')
    turned = f'transform="translate(11 {middle:g}) rotate(-90)" class="middle"'
    parts.append(f"<text {turned}>{escape(y_title)}, logarithmic</text>")
    return "".join(parts)


def _staircase(on_front: Sequence[Mark], x: LogScale, y: LogScale) -> str:
    """Return the front's line: everything above and to the right of it is beaten."""
    first = on_front[0]
    path = f"M{x.place(first.size):.1f} {TOP}V{y.place(first.time):.1f}"
    for mark in on_front[1:]:
        path += f"H{x.place(mark.size):.1f}V{y.place(mark.time):.1f}"
    return f'<path class="front" d="{path}H{RIGHT}"/>'


def _interval(mark: Mark, x: LogScale, y: LogScale) -> str:
    """Return the interval of a mark's time as a line through it."""
    if mark.placed.low is None or mark.placed.high is None:
        return ""
    low, high = y.place(mark.placed.low), y.place(mark.placed.high)
    return f'<path class="interval" d="M{x.place(mark.size):.1f} {low:.1f}V{high:.1f}"/>'
