"""`edgekit run`: an artifact on the user's own inputs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgekit import api
from edgekit.cli.common.options import PATH, data_options, json_option, worker_options
from edgekit.cli.common.output import say_json, stdout_console

if TYPE_CHECKING:
    from edgekit.data import DataOptions

EXAMPLES = """
\b
Examples:
  edgekit run digits.edgekit/tflite/int8.tflite --input digits.npz
  edgekit run model.onnx --input x.npz -o y.npz
"""


@click.command("run", epilog=EXAMPLES)
@click.argument("artifact", type=PATH)
@click.option("--input", "data", required=True, metavar="DATA", help="As for bench --data.")
@click.option("-o", "--output", type=PATH, help="Write the outputs to this .npz file.")
@click.option("--limit", type=click.IntRange(min=1), help="Run only the first N samples.")
@worker_options
@data_options
@json_option
def command(
    artifact: Path,
    data: str,
    output: Path | None,
    limit: int | None,
    memory: str | None,
    time_limit: float | None,
    data_options: DataOptions,
    as_json: bool,
) -> None:
    """Run ARTIFACT on the samples in DATA and show its outputs by name.

    For an artifact in a bundle, the bundle's preprocessing and class names are used.
    """
    from edgekit.cli.printers.outputs import print_outputs

    outputs = api.run(
        artifact,
        data,
        data_options,
        output=output,
        limit=limit,
        memory=memory,
        time_limit=time_limit,
    )
    if as_json:
        say_json(json.dumps(outputs.to_json()))
    else:
        print_outputs(outputs, stdout_console())
