"""`edgekit inspect`: what a bundle or an artifact holds."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit import api
from edgekit.cli.common.options import PATH, json_option
from edgekit.cli.common.output import print_json, stdout_console
from edgekit_runtimes.errors import UsageError

EXAMPLES = """
\b
Examples:
  edgekit inspect digits.edgekit
  edgekit inspect digits.edgekit/tflite/int8.tflite
  edgekit inspect digits.edgekit/tfjs/fp16 --layers
  edgekit inspect digits.edgekit --damage
  edgekit inspect digits.edgekit --json
"""


@click.command("inspect", epilog=EXAMPLES)
@click.argument("path", type=PATH)
@click.option("--layers", is_flag=True, help="List all nodes of an artifact, in their order.")
@click.option("--damage", is_flag=True, help="Show what each layer of int8 artifacts loses.")
@json_option
def command(path: Path, layers: bool, damage: bool, as_json: bool) -> None:
    """Show what is in a bundle, or in one artifact.

    PATH is a bundle (a folder with edgekit.json): its signature, recipes, files and sizes. Or it
    is a .tflite or .onnx file or a TF.js folder: its operators, parameters, multiply-accumulates,
    how each node computes, and its largest layers. With --damage: what each layer of a bundle's
    int8 artifacts loses where it alone is quantized, as `edgekit convert --explain` found it.
    """
    from edgekit.bundle.bundle import Bundle
    from edgekit.cli.printers.bundle import print_bundle
    from edgekit.cli.printers.damage import print_damage
    from edgekit.cli.printers.inspect import print_artifact

    found = api.inspect(path)
    if isinstance(found, Bundle) and layers:
        raise UsageError(f"--layers is for one artifact, and {path} is a bundle of several.")
    if damage and not isinstance(found, Bundle):
        raise UsageError(f"--damage is for a bundle, and {path} is one artifact.")
    if as_json:
        print_json(found.manifest if isinstance(found, Bundle) else found.to_json(), indent=2)
    elif isinstance(found, Bundle) and damage:
        print_damage(found, stdout_console())
    elif isinstance(found, Bundle):
        print_bundle(found, stdout_console())
    else:
        print_artifact(found, stdout_console(), layers)
