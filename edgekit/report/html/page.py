"""The page: its sections, and the frame around them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from html import escape
from importlib import resources

from edgekit.conclusion.between import Timing
from edgekit.report.across import NOTE, TITLE, across
from edgekit.report.columns import fidelity_columns, is_in_table, table_columns
from edgekit.report.environment import facts
from edgekit.report.html import damage, scatter
from edgekit.report.html.distributions import CAPTION, count_spread, distributions
from edgekit.report.html.quality import Quality, quality_of
from edgekit.report.html.table import PictureColumn, table
from edgekit.report.html.whisker import ratio_scale, whiskers
from edgekit.report.lines import conclusion_lines, heading, legend, row_notes
from edgekit.report.merge import Report, Section, minute
from edgekit.results.figures.naming import RowNames
from edgekit.results.results import Row
from edgekit.text.table import Column
from edgekit.text.units import significant

# The figure that has a picture beside its column.
RATIO_KEY = "ratio"
SCATTER_NOTE = (
    "Down and to the left is better. Nothing beats an artifact on the line in both size and time; "
    "the line does not look at colour. Times are fp32's median times the ratio to it, and bars its "
    "95 % interval; what cannot be told from an artifact on the line does not displace it."
)
# Pictures stand in rows of one of these, the first that leaves no last one alone.
ROW_LENGTHS = (3, 2, 4, 5)


def render_html(report: Report) -> str:
    """Return the report as one HTML file that asks for nothing from outside.

    All that comes from results files is escaped, and the browser runs no script but our own.
    """
    script, style = _asset("report.js"), _asset("style.css")
    title = f"edgekit report: {report.title}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        *(f'<p class="note">{escape(note)}</p>' for note in report.notes),
        *_conclusions(report),
        _contents(report),
        *_pictures(report),
        *_across(report),
        *(_section(section, number) for number, section in enumerate(report.sections)),
    ]
    body = "\n".join(parts)
    return f"""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="{_policy(script)}">
<title>{escape(title)}</title>
<link rel="icon" href="data:,">
<style>
{style}</style>
</head>
<body>
{scatter.symbols()}
<main>
{body}
</main>
<script>{script}</script>
</body>
</html>
"""


def _asset(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _policy(script: str) -> str:
    """Return the rule that no browser may run or fetch anything else."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'"
    )


def _contents(report: Report) -> str:
    links = " ".join(
        f'<a href="#{_anchor(number)}">{escape(section.title)}</a>'
        for number, section in enumerate(report.sections)
    )
    return f'<nav aria-label="Devices">{links}</nav>' if len(report.sections) > 1 else ""


def _anchor(number: int) -> str:
    return f"device-{number}"


def _keys(section_number: int, rows: Sequence[Row]) -> list[str]:
    """Return what each row is known by to the script."""
    return [f"{section_number}.{number}" for number in range(len(rows))]


def _conclusions(report: Report) -> Iterator[str]:
    """Yield what each section comes to, and what was measured where and when."""
    for section in report.sections:
        lines = conclusion_lines(section.title, section.rows)
        if lines:
            yield f'<p class="conclusion">{escape(" ".join(lines))}</p>'
    for section in report.sections:
        results = section.results
        when = f"{minute(results.created)} UTC, edgekit {results.edgekit}"
        yield f'<p class="soft">{escape(f"{heading(section.title, results)}; {when}")}</p>'


def _pictures(report: Report) -> Iterator[str]:
    """Yield size against time, one picture per section: times and counts share no axis."""
    everything = list(report.rows)
    qualities: dict[Quality, list[str]] = {}
    figures: list[scatter.Scatter] = []
    for number, section in enumerate(report.sections):
        timing = Timing(section.rows)
        marks = scatter.marks(section.rows, _keys(number, section.rows), timing)
        if not marks:
            continue
        rows = [mark.row for mark in marks]
        quality = quality_of(rows, everything)
        if quality:
            qualities.setdefault(quality, []).append(section.title)
        figure = scatter.time_figure(rows[0])
        figures.append(scatter.Scatter(section.title, marks, figure, quality, timing))
    if figures:
        yield "<section><h2>Size against time</h2>"
        drawn = (mark.row for figure in figures for mark in figure.marks)
        yield scatter.legend(qualities, drawn)
        yield f'<p class="soft">{SCATTER_NOTE}</p>'
        pictures = "".join(figure.markup() for figure in figures)
        columns = columns_of(len(figures))
        yield f'<div class="figures" style="--columns: {columns}">{pictures}</div></section>'


def columns_of(count: int) -> int:
    """Return in how many columns so many pictures stand, so that none is alone in its row.

    Example:
        >>> [columns_of(count) for count in (1, 2, 3, 4, 5, 7)]
        [1, 2, 3, 2, 3, 4]
    """
    if count <= ROW_LENGTHS[0]:
        return count
    return next((length for length in ROW_LENGTHS if count % length != 1), ROW_LENGTHS[0])


def _across(report: Report) -> Iterator[str]:
    found = across(report)
    if found is None:
        return
    names, *numbers = found.columns()
    # One axis for all devices.
    scale = ratio_scale(ratio for ratios in found.ratios.values() for ratio in ratios)
    columns: list[Column | PictureColumn] = [names]
    for ratios, column in zip(found.ratios.values(), numbers, strict=True):
        columns += [whiskers(ratios, scale), column]
    yield f"<section><h2>{TITLE}</h2>"
    yield table(TITLE, columns)
    yield f'<p class="soft">{NOTE}</p></section>'


def _section(section: Section, number: int) -> str:
    rows, title = section.rows, section.title
    keys = _keys(number, rows)
    facts_line = heading(title, section.results).removeprefix(title).removeprefix(": ")
    parts = [
        f'<section id="{_anchor(number)}"><h2>{escape(title)}</h2>',
        f"<p>{escape(facts_line)}</p>" if facts_line else "",
        _measurements(section, keys),
        _notes([*row_notes(rows), *legend(section.results, rows)]),
        *_runs(section, keys),
        *_damage(section),
        *_fidelity(section),
        *_environment(section),
        "</section>",
    ]
    return "\n".join(part for part in parts if part)


def _measurements(section: Section, keys: Sequence[str]) -> str:
    shown = [(row, key) for row, key in zip(section.rows, keys, strict=True) if is_in_table(row)]
    if not shown:
        return "<p>Nothing could be measured.</p>"
    rows = [row for row, _ in shown]
    ratios = [row.ratio_to_fp32 for row in rows]
    columns: list[Column | PictureColumn] = []
    for column in table_columns(rows, RowNames(section.rows)):
        if column.key == RATIO_KEY:
            columns.append(whiskers(ratios, ratio_scale(ratios)))
        columns.append(column)
    return table(f"Measurements on {section.title}", columns, [key for _, key in shown])


def _notes(lines: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<ul class="notes">{items}</ul>' if items else ""


def _runs(section: Section, keys: Sequence[str]) -> Iterator[str]:
    histograms = distributions(section.rows, keys, f"Single runs on {section.title}")
    if histograms:
        yield "<h3>Single runs</h3>"
        yield histograms
        yield f'<p class="soft">{CAPTION}</p>'
    spread = count_spread(section.rows)
    if spread is not None:
        yield (
            f'<p class="soft">Counts of one artifact differ by {significant(100 * spread)} % at '
            "most, so there is no distribution to show.</p>"
        )


def _damage(section: Section) -> Iterator[str]:
    if drawn := damage.pictures(section.rows):
        yield "<h3>Damage by layer</h3>"
        yield drawn
        yield f'<p class="soft">{damage.NOTE}</p>'


def _fidelity(section: Section) -> Iterator[str]:
    columns = fidelity_columns(section.rows)
    if columns:
        yield "<h3>Fidelity to the original, by output</h3>"
        yield table(f"Fidelity on {section.title}", columns)


def _environment(section: Section) -> Iterator[str]:
    items = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>"
        for name, text in facts(section)
    )
    yield f'<h3>Environment</h3>\n<dl class="facts">{items}</dl>'
