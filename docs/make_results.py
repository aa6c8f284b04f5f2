"""Write docs/results.md from the figures that edgekit has registered.

    python docs/make_results.py            (or: make docs)

A test compares the file with what this script would write.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from edgekit.gates.goals import baseline_goals, regressions
from edgekit.report.csv_file import SECTION_FIELDS
from edgekit.results.figures.figure import GROUPS, Figure
from edgekit.results.figures.registry import all_figures, by_group
from edgekit.text.table import Column, filled

TARGET = Path(__file__).parent / "results.md"

INTRODUCTION = """\
# What results say

Written by `make docs` from the figures that edgekit knows; do not edit.

Every column of a table, every field of the CSV file (`edgekit report -o results.csv`) and every
figure that a gate can be on (`edgekit check --gate`), with the name of each. Values in
CSV are plain numbers in the unit that the name of the field ends with; shares are from 0 to 1.

Each artifact is one row per device. If a device has several engines for one format, rows are named
after both, as `tflite/int8 (litert)`. A column without any value is left out.
"""

GATES = """\
## Gates

A gate is `[WORDS] FIGURE<=VALUE`, or with `>=`, `<` or `>`. A figure with an interval is judged at
its pessimistic end. The units of a limit:
"""

BASELINES = """\
Against another row of the same results, in the unit of the figure or in percent of what it was:
"""

REGRESSIONS = """\
`edgekit compare` takes gates on what became worse, in percent of what it was in the older results
(of `fidelity.sqnr`, of the error):
"""


def render() -> str:
    """Return the text of results.md."""
    return "\n".join([INTRODUCTION, *_groups(), *_gates()])


def _groups() -> Iterator[str]:
    """Yield the figures, one section per group."""
    yield f"## The bench (in CSV only)\n\n{_section_fields()}\n"
    for group in GROUPS:
        figures = [figure for figure in all_figures() if figure.group is group]
        if figures:
            yield f"## {group.title}\n\n{_figures(figures)}\n"


def _section_fields() -> str:
    fields = tuple(f"`{field.csv}`" for field in SECTION_FIELDS)
    sentences = tuple(field.sentence for field in SECTION_FIELDS)
    return _table([Column("CSV", fields), Column("what it is", sentences)])


def _figures(figures: Sequence[Figure]) -> str:
    columns = [
        Column("column", tuple(" ".join(figure.title().split()) for figure in figures)),
        Column("gate", tuple(_code(figure.key if figure.gated else "") for figure in figures)),
        Column("CSV", tuple(_code(figure.csv) for figure in figures)),
        Column("better", tuple(figure.kind.better for figure in figures)),
        Column("what it is", tuple(figure.sentence for figure in figures)),
    ]
    return _table(filled(columns))


def _gates() -> Iterator[str]:
    gated = [figure for figure in by_group() if figure.gated]
    yield GATES
    for quantity in dict.fromkeys(figure.quantity for figure in gated):
        names = ", ".join(f"`{figure.key}`" for figure in gated if figure.quantity is quantity)
        yield f"- {names}: {quantity.advice}"
    yield f"\n{BASELINES}"
    headings = {one.gated.baseline.heading: one for one in gated if one.gated.baseline}
    for heading in headings:
        names = [
            f"`{goal.name}`"
            for figure in gated
            if figure.gated.baseline and figure.gated.baseline.heading == heading
            for goal in baseline_goals(figure)
        ]
        yield f"- {heading}: {', '.join(names)}"
    yield f"\n{REGRESSIONS}"
    yield f"{', '.join(f'`{name}`' for name in regressions())}\n"


def _code(word: str) -> str:
    return f"`{word}`" if word else ""


def _table(columns: Sequence[Column]) -> str:
    """Return a table of Markdown: sentences are Markdown, so nothing is escaped."""
    heads = [column.header for column in columns]
    rows = zip(*(column.cells for column in columns), strict=True)
    return "\n".join(f"| {' | '.join(line)} |" for line in (heads, ["---"] * len(heads), *rows))


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
    print(f"wrote {TARGET}")
