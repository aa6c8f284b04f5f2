"""`edgekit inspect`: what a bundle or an artifact holds."""

from __future__ import annotations

import json
from pathlib import Path

import click

from edgekit.cli.options import PATH, json_option
from edgekit.cli.output import stdout_console
from edgekit_runtimes.errors import UsageError

EXAMPLES = """
\b
Examples:
  edgekit inspect digits.edgekit
  edgekit inspect digits.edgekit/tflite/int8.tflite
  edgekit inspect digits.edgekit --json
"""


@click.command("inspect", epilog=EXAMPLES)
@click.argument("path", type=PATH)
@json_option
def command(path: Path, as_json: bool) -> None:
    """Show the signature, recipes, files and sizes of a bundle, or of one artifact.

    PATH is a bundle (a folder with edgekit.json), a .tflite or .onnx file or a TF.js folder.
    """
    from edgekit.bundle import load_bundle
    from edgekit.inspect import inspect_artifact
    from edgekit.manifest import MANIFEST_NAME
    from edgekit.report.bundle import print_artifact, print_bundle

    if not path.exists():
        raise UsageError(f"No such file or folder: {path}")
    if (path / MANIFEST_NAME).is_file():
        bundle = load_bundle(path)
        if as_json:
            click.echo(json.dumps(bundle.manifest.to_json(), indent=2))
        else:
            print_bundle(bundle, stdout_console())
        return
    facts = inspect_artifact(path)
    if as_json:
        click.echo(json.dumps(facts.to_json(), indent=2))
    else:
        print_artifact(facts, stdout_console())
