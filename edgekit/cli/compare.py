"""`edgekit compare`: what changed between two results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgekit import api
from edgekit.cli.common.gating import GateCommand, regression_options
from edgekit.cli.common.options import PATH, json_option
from edgekit.cli.common.output import say_json, stdout_console

if TYPE_CHECKING:
    from edgekit.cli.common.gating import Gating

EXAMPLES = """
\b
Examples:
  edgekit compare main.json branch.json
  edgekit compare main.json branch.json --max-regression 5%
  edgekit compare main.json branch.json --gate 'tflite/int8 ratio.max_regression<=3%'
  edgekit compare main.json branch.json --summary "$GITHUB_STEP_SUMMARY"
"""


@click.command("compare", cls=GateCommand, gates_help="regressions_help", epilog=EXAMPLES)
@click.argument("old", type=PATH)
@click.argument("new", type=PATH)
@click.option(
    "--force",
    is_flag=True,
    help="Compare results even if they are of different machines or models.",
)
@regression_options
@json_option
def command(old: Path, new: Path, force: bool, gating: Gating, as_json: bool) -> int:
    """Show what changed from the results OLD to the results NEW, row by row.

    Times come with the ratio of the two medians and its 95 % interval; the two runs were not
    measured side by side, so what differs between them as a whole (what else the machine did) is in
    no interval. The ratio to fp32, measured in turns, is what holds on a busy machine.

    A gate on a time or an accuracy is judged at the pessimistic end: it must be shown not to be
    worse, which takes `bench --thorough` on a busy machine. A row that fails now breaks its gates;
    rows that only one of the two has are shown and not judged.

    Results of different machines are refused: another CPU, other CPU features, another number of
    cores or threads, another governor or graphics card. Other versions of the engines are noted.
    """
    from edgekit.report.compare import print_comparison
    from edgekit.report.summary import changes_summary

    comparison, outcomes = api.compare(old, new, gating.gates, force=force)
    if as_json:
        forms = [outcome.to_json() for outcome in outcomes]
        say_json(json.dumps({**comparison.to_json(), "verdicts": forms}))
    else:
        print_comparison(comparison, stdout_console())
    return gating.report(outcomes, lambda: changes_summary(comparison))
