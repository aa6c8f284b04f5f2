"""The report as a file: its suffix says what is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edgekit.files import check_writable, write_whole, writing
from edgekit.report.csv_file import render_csv
from edgekit.report.html.page import render_html
from edgekit.report.markdown import render_markdown
from edgekit.report.merge import Report
from edgekit_runtimes.errors import UsageError

RENDERERS: dict[str, Callable[[Report], str]] = {
    ".html": render_html,
    ".md": render_markdown,
    ".csv": render_csv,
}


def check_output(path: Path) -> None:
    """Raise UsageError if the suffix of a file to write is not one of `RENDERERS`."""
    if path.suffix.lower() not in RENDERERS:
        *most, last = RENDERERS
        raise UsageError(f"-o {path} must end with {', '.join(most)} or {last}.")
    check_writable(path.parent)


def write_report(report: Report, path: Path) -> None:
    """Write a report to a file that passed `check_output`, replacing one that exists."""
    text = RENDERERS[path.suffix.lower()](report)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Surrogates cannot be encoded; JSON can hold them.
        write_whole(path, text.encode("utf-8", errors="replace"))
