"""What a CI shows on the page of a run, as Markdown: GitHub's $GITHUB_STEP_SUMMARY."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from edgekit.report.compare import change_columns, change_notes, devices
from edgekit.report.gates import gate_columns, table_lines
from edgekit.report.lines import heading
from edgekit.report.markdown import escape, markdown_table, render_markdown
from edgekit.report.merge import merge

if TYPE_CHECKING:
    from edgekit.compare.changes import Comparison
    from edgekit.gates.judging import Outcome
    from edgekit.results.results import Results


def gates_summary(outcomes: Sequence[Outcome], runs: Sequence[str] = ()) -> str:
    """Return the gates' table, "" if there are no gates."""
    lines = table_lines(outcomes, runs)
    if not lines:
        return ""
    broken = len({line.gate for line in lines if line.verdict == "broken"})
    total = len({line.gate for line in lines})
    title = f"{broken} of {total} gates broken" if broken else f"All {total} gates hold"
    return f"## edgekit: {title}\n\n{markdown_table(gate_columns(outcomes, runs))}\n"


def results_summary(results: Results) -> str:
    """Return the tables of a bench."""
    return render_markdown(merge({"": results}))


def changes_summary(comparison: Comparison) -> str:
    """Return the tables of a comparison."""
    return "\n\n".join(_changes(comparison)) + "\n"


def _changes(comparison: Comparison) -> Iterator[str]:
    yield "## edgekit: what changed"
    for device in devices(comparison):
        columns = change_columns([row for row in comparison.rows if row.device == device])
        if columns:
            yield f"### {escape(heading(device, comparison.new))}"
            yield markdown_table(columns)
    notes = change_notes(comparison)
    if notes:
        yield "\n".join(f"- {escape(note)}" for note in notes)
