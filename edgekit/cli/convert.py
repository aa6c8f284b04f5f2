"""`edgekit convert`: a trained model becomes a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from edgekit import api
from edgekit.bundle.recipe import DEFAULT_RECIPES
from edgekit.cli.common.completing import completing
from edgekit.cli.common.options import PATH, data_options, json_option, parse_sizes
from edgekit.cli.common.output import print_json, say, stdout_console
from edgekit_runtimes.errors import WORK_EXIT_CODE, UsageError
from edgekit_runtimes.formats import FORMATS

if TYPE_CHECKING:
    from edgekit.bundle.manifest import ArtifactRecord
    from edgekit.data import DataOptions

EXAMPLES = (
    "edgekit convert digits.keras",
    "edgekit convert digits.keras --calibration digits.npz",
    "edgekit convert saved_model/ --to tflite --recipe int8,int8+prune50 --calibration photos/",
    "edgekit convert any_size.keras --input-shape image=1,224,224,3",
    "edgekit convert nets:make --weights net.pt --input-shape x=1,3,224,224",
)


class ConvertCommand(click.Command):
    """The command, with all sources and recipes below its options."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what sources, formats and modifiers say about themselves."""
        with formatter.section("Sources"):
            formatter.write_dl(api.sources())
        with formatter.section("Recipes, QUANTIZATION[+MODIFIER…]"):
            formatter.write_dl(api.recipes())
        with formatter.section("Examples"):
            for example in EXAMPLES:
                formatter.write(f"  {example}\n")


@click.command("convert", cls=ConvertCommand)
@click.argument("model", type=PATH)
@click.option(
    "--to",
    "formats",
    default="tflite,tfjs,onnx",
    show_default=True,
    help="Formats.",
    shell_complete=completing(lambda: FORMATS),
)
@click.option(
    "--recipe",
    "recipes",
    shell_complete=completing(lambda: (name for name, _ in api.recipes())),
    help=f"What is done to the weights. [default: {','.join(DEFAULT_RECIPES)}, and int8 where "
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
    help="The shape of an input whose sizes the model leaves open; of a PyTorch module, that of "
    "each input of forward(): x=1,3,224,224, or ids=1,16:int64.",
)
@click.option(
    "--weights",
    type=PATH,
    help="The weights of a PyTorch module: a .pt, .pth or .safetensors file of model.state_dict().",
)
@click.option(
    "--set",
    "fixed",
    multiple=True,
    metavar="NAME=VALUE",
    help="Make a constant of an input of an ONNX file: a number, or several with commas.",
)
@click.option(
    "--layout",
    type=click.Choice(["nchw", "nhwc"]),
    help="The order of axes of images in all artifacts. [default: ONNX keeps the source's, TFLite "
    "and TF.js have channels last]",
)
@click.option("--signature", help="Which signature of a SavedModel or .tflite file.")
@click.option(
    "--io",
    type=click.Choice(["float", "int8"]),
    default="float",
    show_default=True,
    help="What static int8 TFLite artifacts take and give.",
)
@click.option(
    "--effort",
    type=click.Choice(["low", "default", "high"]),
    default="default",
    show_default=True,
    help="How long to try what keeps quantized artifacts right: low makes each once, default takes "
    "at most 2.5 times as long, high tries everything.",
)
@click.option(
    "--explain",
    is_flag=True,
    help="Say of int8 artifacts what each layer loses alone and what keeping it in float costs: "
    "see edgekit inspect --damage.",
)
@click.option(
    "--classes",
    type=PATH,
    help="A text file with one class name per line, in the order of the output.",
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
@click.option(
    "--wait/--no-wait",
    default=True,
    help="Wait where another run writes the bundle, or end with exit code 2. [default: wait]",
)
@json_option
def command(
    model: Path,
    formats: str,
    recipes: str | None,
    calibration: str | None,
    output: Path | None,
    input_shapes: tuple[str, ...],
    weights: Path | None,
    fixed: tuple[str, ...],
    layout: Literal["nchw", "nhwc"] | None,
    signature: str | None,
    io: Literal["float", "int8"],
    effort: Literal["low", "default", "high"],
    explain: bool,
    classes: Path | None,
    data_options: DataOptions,
    imports: tuple[str, ...],
    unsafe: bool,
    force: bool,
    wait: bool,
    as_json: bool,
) -> int:
    """Make TFLite, TF.js and ONNX artifacts of MODEL.

    MODEL is a trained model of a kind listed below. What comes out is a bundle: a folder with the
    artifacts, a manifest, and golden samples with the original's outputs for them. Each artifact is
    run on them as soon as it is written.
    """
    from edgekit.cli.common.libraries import tame_libraries
    from edgekit.cli.common.progress import status
    from edgekit.cli.printers.bundle import print_bundle

    tame_libraries()
    rows: list[ArtifactRecord] = []
    with status() as progress:
        bundle = api.convert(
            model,
            output,
            to=formats,
            recipe=recipes,
            calibration=calibration,
            classes=classes,
            input_shape=_parse_shapes(input_shapes),
            input_dtype=_parse_dtypes(input_shapes),
            weights=weights,
            fixed=_parse_values(fixed),
            layout=layout,
            signature=signature,
            io=io,
            effort=effort,
            explain=explain,
            resize=data_options.resize,
            scale=data_options.scale,
            mean=data_options.mean,
            std=data_options.std,
            imports=imports,
            unsafe=unsafe,
            force=force,
            wait=wait,
            on_wait=lambda line: say(line, err=True),
            progress=progress,
            on_artifact=rows.append,
        )
    if as_json:
        print_json(bundle.manifest, indent=2)
    else:
        print_bundle(bundle, stdout_console())
    return WORK_EXIT_CODE if any(row.status == "failed" for row in rows) else 0


def _parse_shapes(texts: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for text in texts:
        name, _, rest = text.partition("=")
        sizes = rest.partition(":")[0]
        if name in shapes:
            raise UsageError(f"--input-shape gives '{name}' twice. Give it once.")
        shapes[name] = parse_sizes(
            sizes if name else "", f"--input-shape {text}", "NAME=1,224,224,3"
        )
    return shapes


def _parse_dtypes(texts: tuple[str, ...]) -> dict[str, str]:
    """Return the dtypes that shapes were given with, as ids=1,16:int64."""
    pairs = (text.partition("=") for text in texts)
    return {name: rest.partition(":")[2] for name, _, rest in pairs if ":" in rest}


def _parse_values(texts: tuple[str, ...]) -> dict[str, float | bool | list[float | bool]]:
    values: dict[str, float | bool | list[float | bool]] = {}
    for text in texts:
        name, _, words = text.partition("=")
        if name in values:
            raise UsageError(f"--set gives '{name}' twice. Give it once.")
        try:
            numbers = [_parse_value(word.strip()) for word in words.split(",")]
        except ValueError:
            numbers = []
        if not name or not numbers:
            raise UsageError(
                f"--set {text} is not NAME=VALUE: a number, true or false, or several with commas."
            )
        values[name] = numbers[0] if len(numbers) == 1 else numbers
    return values


def _parse_value(word: str) -> float | bool:
    """Return a number or a truth value; integers stay exact. Raises ValueError."""
    if word.lower() in ("true", "false"):
        return word.lower() == "true"
    try:
        return int(word)
    except ValueError:
        return float(word)
