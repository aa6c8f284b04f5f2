"""`edgekit check`: judge results by gates, without measuring."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgekit import api
from edgekit.cli.common.gating import FILES, GateCommand, gate_options
from edgekit.cli.common.options import PATH, json_option
from edgekit.cli.common.output import say_json, stdout_console
from edgekit_runtimes.errors import UsageError

if TYPE_CHECKING:
    from edgekit.cli.common.gating import Gating

EXAMPLES = """
\b
Examples:
  edgekit check results.json --gate 'size<=300KB' --gate 'wire.brotli<=250KB'
  edgekit check host.json board.json --gate 'tflite/int8 latency.p90<=5ms'
  edgekit check results.json --gate 'board:pi5 int8 instructions<=2M'
  edgekit check results.json --gate 'accuracy.max_degradation<=1%' --junit gates.xml
  edgekit check results.json --summary "$GITHUB_STEP_SUMMARY"
"""


@click.command("check", cls=GateCommand, gates_help="goals_help", epilog=EXAMPLES)
@click.argument("results", nargs=-1, required=True, type=PATH, metavar="RESULTS...")
@gate_options
@json_option
def command(results: tuple[Path, ...], gating: Gating, as_json: bool) -> int:
    """Judge the results of `edgekit bench` by gates; nothing is measured.

    Gates are those of --gate and of the project: `gates` in edgekit.toml, or in pyproject.toml
    under [tool.edgekit], in this folder or one above it up to the repository's. A gate given here
    replaces the project's gate of the same words and figure.

    Figures with an interval are judged at its pessimistic end. A row that failed breaks the gates
    that concern it; one that is not available breaks none; a gate that matches no row is broken.
    """
    from edgekit.report.gates import print_outcomes

    if not gating.gates:
        raise UsageError(f"There is no gate. Give --gate 'size<=300KB', or gates in {FILES}.")
    outcomes = api.check(results, gating.gates)
    runs = [str(path) for path in results]
    if as_json:
        forms = [outcome.to_json(runs) for outcome in outcomes]
        say_json(json.dumps({"held": all(form["held"] for form in forms), "verdicts": forms}))
    else:
        print_outcomes(outcomes, stdout_console(), runs)
    return gating.report(outcomes, lambda: "", runs)
