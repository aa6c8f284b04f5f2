"""`edgekit check`: judge results by gates, without measuring."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgekit import api
from edgekit.cli.common.gating import FILES, gate_options
from edgekit.cli.common.options import PATH, json_option
from edgekit.cli.common.output import stdout_console
from edgekit_runtimes.errors import UsageError

if TYPE_CHECKING:
    from edgekit.cli.common.gating import Gating

EXAMPLES = """
\b
A gate is [WORDS] METRIC<=VALUE, or with >=, < or >. Words limit it to the rows of a device, an
artifact, a format or a recipe; * stands for anything.
Sizes (B, KB, MB, GB, KiB, MiB, GiB):
  size  wire.gzip  wire.brotli
Times (ns, us, ms, s) and instructions (plain, K, M, G):
  latency.median  latency.p90  latency.min  load  first_run  instructions
Time over time (plain or %):
  ratio  ratio_to_original
Agreement and accuracy (shares: plain or %; others plain, sqnr in dB):
  fidelity.top1  fidelity.cosine  fidelity.sqnr  fidelity.max_error
  accuracy  accuracy.mae  accuracy.rmse  accuracy.metric
Lost against the original, or against fp32 where that was not judged:
  accuracy.max_degradation  accuracy.mae.max_degradation  accuracy.rmse.max_degradation
  accuracy.metric.max_degradation
and in percent of what it was:
  accuracy.percent_max_degradation  accuracy.mae.percent_max_degradation
  accuracy.rmse.percent_max_degradation  accuracy.metric.percent_max_degradation
Lost or won against fp32 of the same format:
  latency.max_degradation  latency.percent_max_degradation
  latency.min_improvement  latency.percent_min_improvement
  size.min_improvement  size.percent_min_improvement

\b
Examples:
  edgekit check results.json --gate 'size<=300KB' --gate 'wire.brotli<=250KB'
  edgekit check host.json board.json --gate 'tflite/int8 latency.p90<=5ms'
  edgekit check results.json --gate 'board:pi5 int8 instructions<=2M'
  edgekit check results.json --gate 'accuracy.max_degradation<=1%' --junit gates.xml
  edgekit check results.json --summary "$GITHUB_STEP_SUMMARY"
"""


@click.command("check", epilog=EXAMPLES)
@click.argument("results", nargs=-1, required=True, type=PATH, metavar="RESULTS...")
@gate_options
@json_option
def command(results: tuple[Path, ...], gating: Gating, as_json: bool) -> int:
    """Judge the results of `edgekit bench` by gates; nothing is measured.

    Gates are those of --gate and of the project: `gates` in edgekit.toml, or in pyproject.toml
    under [tool.edgekit], in this folder or one above it up to the repository's. One that is given
    here replaces the project's of the same words and metric.

    Figures with an interval are judged at its pessimistic end. A row that failed breaks the gates
    that concern it; one that is not available breaks none; a gate that meets no row is broken.
    """
    from edgekit.report.gates import print_verdicts

    if not gating.gates:
        raise UsageError(f"There is no gate. Give --gate 'size<=300KB', or gates in {FILES}.")
    verdicts = api.check(results, gating.gates)
    runs = [str(path) for path in results]
    if as_json:
        forms = [verdict.to_json(runs) for verdict in verdicts]
        click.echo(json.dumps({"held": all(form["held"] for form in forms), "verdicts": forms}))
    else:
        print_verdicts(verdicts, stdout_console(), runs)
    return gating.report(verdicts, lambda: "", runs)
