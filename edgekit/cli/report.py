"""`edgekit report`: results as tables, or as a file for people or programs."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit import api
from edgekit.cli.common.options import PATH, wide_option
from edgekit.cli.common.output import say, stdout_console

EXAMPLES = """
\b
Examples:
  edgekit bench digits.edgekit -o host.json
  edgekit report host.json
  edgekit report host.json -o report.html
  edgekit report host.json board.json phone.json -o report.html
  edgekit report host.json -o report.md
"""


@click.command("report", epilog=EXAMPLES)
@click.argument("results", nargs=-1, required=True, type=PATH, metavar="RESULTS...")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Write .html (one page with pictures), .md (the tables, for GitHub) or .csv (one row per "
    "artifact and device). [default: print the tables]",
)
@wide_option
def command(results: tuple[Path, ...], output: Path | None, wide: bool) -> None:
    """Show the results of `edgekit bench` again, or write them to a file.

    Several RESULTS (of a host, a board, a phone) become one report. Where two have the same
    device, both stay and are told apart by their date. Nothing is measured. A bundle that
    `edgekit tune` made shows what was tried.
    """
    if len(results) == 1 and results[0].is_dir() and output is None:
        from edgekit.cli.printers.tried import print_tried

        print_tried(api.tried(results[0]), stdout_console())
        return
    from edgekit.report.terminal.tables import print_results

    report = api.report(results, output)
    if output is not None:
        say(str(output))
        return
    console = stdout_console()
    for number, section in enumerate(report.sections):
        if number:
            say()
        print_results(section.results, console, wide)
    for note in report.notes:
        say(f"\nnote: {note}")
