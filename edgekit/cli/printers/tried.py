"""A search as text: the front with what was tried, and why it was not chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgekit.bundle.tried import SearchRecord, Tried

if TYPE_CHECKING:
    from rich.console import Console

BYTES = ("size", "wire")


def print_tried(record: SearchRecord, console: Console) -> None:
    """Print one row per candidate, the cheapest first, and what the user should know."""
    from rich.markup import escape
    from rich.table import Table

    judged = "labels" if record.labelled else "samples"
    console.print(
        f"{record.searched} {judged} searched, {record.judged} others judged", highlight=False
    )
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("tried")
    drop = "loses" if record.labelled else "differs"
    for heading in (*record.objectives, "SQNR dB", drop, "at most"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    for row in record.tried:
        cells = (escape(f"{row.id.partition('/')[0]}/{row.plan}"), *_figures(row, record))
        table.add_row(*cells, escape(_outcome(row)))
    console.print(table)
    for note in record.notes:
        console.print(note, highlight=False, markup=False)


def _figures(row: Tried, record: SearchRecord) -> list[str]:
    costs = [_cost(one, row.costs.get(one)) for one in record.objectives]
    sqnr = "" if row.sqnr_db is None else f"{row.sqnr_db:.1f}"
    return [*costs, sqnr, *("" if one is None else f"{one:.2%}" for one in (row.loss, row.bound))]


def _cost(objective: str, cost: float | None) -> str:
    if cost is None:
        return ""
    return f"{cost:,.0f}" if objective in BYTES else f"{cost:.3f}"


def _outcome(row: Tried) -> str:
    text = f"{row.outcome}: {row.reason}" if row.reason else row.outcome
    return f"{row.artifact}  {text}" if row.artifact else text
