"""`edgekit verify`: whether a bundle is what its manifest says."""

from __future__ import annotations

import json
from pathlib import Path

import click

from edgekit import api
from edgekit.cli.common.options import json_option
from edgekit.cli.common.output import say, say_json
from edgekit_runtimes.errors import WORK_EXIT_CODE

EXAMPLES = """
\b
Examples:
  edgekit verify digits.edgekit
  edgekit verify digits.edgekit --json
"""


@click.command("verify", epilog=EXAMPLES)
@click.argument("bundle", type=click.Path(path_type=Path))
@json_option
def command(bundle: Path, as_json: bool) -> int:
    """Compare each artifact and the golden samples of BUNDLE with the hashes in its manifest.

    A copy that was damaged or changed is found; who made the bundle is not said. The exit code is
    3 where something is not as it was made.
    """
    verdicts = api.verify(bundle)
    if as_json:
        say_json(json.dumps([verdict.to_json() for verdict in verdicts]))
    else:
        for verdict in verdicts:
            unknown = "" if verdict.is_known else " (readable; this bundle is older than its hash)"
            say(f"{verdict.member}: {verdict.fault or f'as it was made{unknown}'}")
    return WORK_EXIT_CODE if any(verdict.fault for verdict in verdicts) else 0
