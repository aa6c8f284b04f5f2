"""`edgekit convert`: a trained model becomes a bundle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgekit.bundle.recipe import parse_recipes
from edgekit.cli.common.options import PATH, data_options, json_option, parse_sizes
from edgekit.cli.common.output import stdout_console
from edgekit_runtimes.errors import WORK_EXIT_CODE, UsageError

if TYPE_CHECKING:
    from edgekit.data import DataOptions

EXAMPLES = """
\b
Recipes are QUANTIZATION[+prunePERCENT]:
  fp32          as trained
  fp16          16-bit weights
  int8-weights  8-bit weights, computing in float: smaller, not faster
  int8-dynamic  8-bit weights, activations quantized while running
  int8          all 8-bit (needs --calibration)
  int16x8       16-bit activations, 8-bit weights (needs --calibration)
  int4-dynamic  4-bit weights
  …+prune50     the smallest 50 % of each kernel set to zero first

\b
Examples:
  edgekit convert digits.keras
  edgekit convert digits.keras --calibration digits.npz
  edgekit convert saved_model/ --to tflite --recipe int8,int8+prune50 --calibration photos/
  edgekit convert any_size.keras --input-shape image=1,224,224,3
"""


@click.command("convert", epilog=EXAMPLES)
@click.argument("model", type=PATH)
@click.option("--to", "formats", default="tflite,tfjs,onnx", show_default=True, help="Formats.")
@click.option(
    "--recipe",
    "recipes",
    help="What is done to the weights. [default: fp32,fp16,int8-weights, and int8 where "
    "--calibration is given]",
)
@click.option(
    "--calibration",
    metavar="DATA",
    help="Samples that look like real inputs: .npz, .npy, a folder of images or module:function.",
)
@click.option("-o", "--output", type=PATH, help="[default: MODEL.edgekit]")
@click.option(
    "--input-shape",
    "input_shapes",
    multiple=True,
    metavar="NAME=1,224,224,3",
    help="The shape of an input whose sizes the model leaves open.",
)
@click.option("--signature", help="Which signature of a SavedModel.")
@click.option(
    "--io",
    type=click.Choice(["float", "int8"]),
    default="float",
    show_default=True,
    help="What static int8 TFLite artifacts take and give.",
)
@click.option(
    "--classes",
    type=PATH,
    help="A text file with one class name a line, in the order of the output.",
)
@data_options
@click.option(
    "--import",
    "imports",
    multiple=True,
    metavar="MODULE",
    help="Import a module that registers custom classes of a Keras model.",
)
@click.option("--unsafe", is_flag=True, help="Allow Lambda layers: runs code from the file.")
@click.option("--force", is_flag=True, help="Start over where the bundle exists already.")
@json_option
def command(
    model: Path,
    formats: str,
    recipes: str | None,
    calibration: str | None,
    output: Path | None,
    input_shapes: tuple[str, ...],
    signature: str | None,
    io: str,
    classes: Path | None,
    data_options: DataOptions,
    imports: tuple[str, ...],
    unsafe: bool,
    force: bool,
    as_json: bool,
) -> int:
    """Make TFLite, TF.js and ONNX artifacts of MODEL.

    MODEL is a .keras or .h5 file or a SavedModel folder. What comes out is a bundle: a folder
    with the artifacts, a manifest, and golden samples with the original's answers. Each artifact
    is run on them as soon as it is written.
    """
    from edgekit.cli.common.progress import status
    from edgekit.cli.printers.bundle import print_bundle
    from edgekit.convert.conversion import (
        ConvertRequest,
        parse_formats,
        read_classes,
        run_conversion,
    )
    from edgekit_converters.sources import SourceOptions

    request = ConvertRequest(
        source=model,
        output=output,
        formats=parse_formats(formats),
        recipes=parse_recipes(recipes) if recipes else None,
        calibration=calibration,
        data_options=data_options,
        source_options=SourceOptions(
            input_shapes=_parse_shapes(input_shapes),
            signature=signature,
            unsafe=unsafe,
            imports=imports,
        ),
        io=io,
        classes=read_classes(classes) if classes else (),
        force=force,
    )
    with status() as report:
        bundle = run_conversion(request, report)
    if as_json:
        click.echo(json.dumps(bundle.manifest.to_json(), indent=2))
    else:
        print_bundle(bundle, stdout_console())
    asked = [row for row in bundle.artifacts if row.id in request.artifact_ids]
    return WORK_EXIT_CODE if any(row.status == "failed" for row in asked) else 0


def _parse_shapes(texts: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for text in texts:
        name, _, sizes = text.partition("=")
        if name in shapes:
            raise UsageError(f"--input-shape gives '{name}' twice. Give it once.")
        shapes[name] = parse_sizes(
            sizes if name else "", f"--input-shape {text}", "NAME=1,224,224,3"
        )
    return shapes
