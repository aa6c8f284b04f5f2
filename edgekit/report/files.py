"""The report as a file: its suffix says what is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from edgekit.files import check_writable, write_whole, writing
from edgekit.report.csv_file import render_csv
from edgekit.report.html.page import render_html
from edgekit.report.markdown import render_markdown
from edgekit.report.merge import Report, read_report
from edgekit_runtimes.errors import UsageError

RENDERERS: dict[str, Callable[[Report], str]] = {
    ".html": render_html,
    ".md": render_markdown,
    ".csv": render_csv,
}


def write_report(results: Sequence[Path], path: Path) -> None:
    """Write the report of results files, as a whole; a file of this name is replaced.

    Raises UsageError where the suffix is none of `RENDERERS` or a results file is missing,
    ArtifactError where one cannot be read.
    """
    render = RENDERERS.get(path.suffix.lower())
    if render is None:
        *most, last = RENDERERS
        raise UsageError(f"-o {path} must end with {', '.join(most)} or {last}.")
    check_writable(path.parent)
    text = render(read_report(results))
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Surrogates cannot be encoded; JSON can hold them.
        write_whole(path, text.encode("utf-8", errors="replace"))
