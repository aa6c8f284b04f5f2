"""`edgekit doctor`: what works on this machine."""

from __future__ import annotations

import click

from edgekit import api
from edgekit.cli.common.options import json_option
from edgekit.cli.common.output import print_json, stdout_console

EXAMPLES = """
\b
Examples:
  edgekit doctor
  edgekit doctor --json
"""


@click.command("doctor", epilog=EXAMPLES)
@json_option
def command(as_json: bool) -> None:
    """Say which extras, engines and host tools work on this machine.

    What is missing comes with the line that installs it. Each part is really tried: packages are
    imported, in separate processes, and tools are asked for their version.
    """
    from edgekit.cli.common.progress import status
    from edgekit.cli.printers.doctor import print_findings

    with status() as report:
        report("trying each part")
        findings = api.doctor()
    if as_json:
        print_json(findings, indent=2)
    else:
        print_findings(findings, stdout_console())
