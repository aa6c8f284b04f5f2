"""`edgekit tune`: the smallest or quickest artifact that keeps a promise."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from edgekit import api
from edgekit.cli.common.options import PATH, data_options, json_option, parse_sizes
from edgekit.cli.common.output import print_json, say, stdout_console
from edgekit_runtimes.errors import WORK_EXIT_CODE

if TYPE_CHECKING:
    from edgekit.data import DataOptions

EXAMPLES = """
\b
Examples:
  edgekit tune digits.keras --calibration digits.npz --data digits.npz
  edgekit tune digits.keras --calibration digits.npz --data digits.npz --minimize time --on host
  edgekit tune model.onnx --calibration photos/ --minimize wire --to tfjs --within 15min
"""


@click.command("tune", epilog=EXAMPLES)
@click.argument("model", type=PATH)
@click.option(
    "--calibration",
    metavar="DATA",
    help="Samples that look like real inputs, as of convert; int8 needs them.",
)
@click.option(
    "--data",
    metavar="DATA",
    help="Labelled samples. Without labels --max-drop bounds how many answers differ.",
)
@click.option(
    "--max-drop",
    metavar="SHARE",
    help="What unseen data may lose of right answers, promised at 95 %. [default: 1%]",
)
@click.option("--min-sqnr", type=float, metavar="DB", help="What the outputs must keep.")
@click.option(
    "--minimize",
    default="size",
    show_default=True,
    help="size, wire, time or instructions; or two, one of them of bytes.",
)
@click.option("--on", metavar="DEVICE", help="Where time or instructions are measured.")
@click.option("--to", "formats", default="tflite", show_default=True, help="Formats.")
@click.option("--within", metavar="TIME", help="How long it may take: 90s, 15min, 2h.")
@click.option("--jobs", type=int, default=1, show_default=True, help="Artifacts run at once.")
@click.option("--labels-of", metavar="OUTPUT", help="Which of several outputs labels are about.")
@click.option(
    "--effort",
    type=click.Choice(["low", "default", "high"]),
    default="default",
    show_default=True,
    help="How long each conversion may try what keeps quantized artifacts right.",
)
@click.option("-o", "--output", type=PATH, help="[default: MODEL-tuned.edgekit]")
@click.option(
    "--input-shape",
    "input_shapes",
    multiple=True,
    metavar="NAME=1,224,224,3",
    help="The shape of an input whose sizes the model leaves open.",
)
@click.option("--signature", help="Which signature of a SavedModel.")
@data_options
@click.option(
    "--import",
    "imports",
    multiple=True,
    metavar="MODULE",
    help="Import a module that registers custom classes of a Keras model.",
)
@click.option("--unsafe", is_flag=True, help="Allow Lambda layers: runs code from the file.")
@click.option("--force", is_flag=True, help="Replace the bundle, and forget what was searched.")
@click.option("--wait/--no-wait", default=True, help="Wait where another run writes the bundle.")
@json_option
def command(
    model: Path,
    calibration: str | None,
    data: str | None,
    max_drop: str | None,
    min_sqnr: float | None,
    minimize: str,
    on: str | None,
    formats: str,
    within: str | None,
    jobs: int,
    labels_of: str | None,
    effort: Literal["low", "default", "high"],
    output: Path | None,
    input_shapes: tuple[str, ...],
    signature: str | None,
    data_options: DataOptions,
    imports: tuple[str, ...],
    unsafe: bool,
    force: bool,
    wait: bool,
    as_json: bool,
) -> int:
    """Search for the smallest or quickest artifact of MODEL that keeps a promise.

    Uniform recipes are tried first, then mixes of precisions, layer by layer. A quarter of the
    samples is searched with; the others, which the search does not see, judge what it found. What
    comes out is a bundle with the winners, each with its plan. After an interruption the same
    command goes on.
    """
    from edgekit.cli.common.libraries import tame_libraries
    from edgekit.cli.common.progress import status
    from edgekit.cli.printers.tried import print_tried

    tame_libraries()
    with status() as progress:
        tuned = api.tune(
            model,
            output,
            calibration=calibration,
            data=data,
            max_drop=max_drop,
            min_sqnr=min_sqnr,
            minimize=minimize,
            on=on,
            to=formats,
            within=within,
            jobs=jobs,
            labels_of=labels_of,
            effort=effort,
            input_shape={
                name: parse_sizes(sizes, f"--input-shape {name}", "NAME=1,224,224,3")
                for name, _, sizes in (text.partition("=") for text in input_shapes)
            },
            signature=signature,
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
            front=lambda line: say(line, err=True),
        )
    if as_json:
        print_json(tuned.record, indent=2)
    else:
        print_tried(tuned.record, stdout_console())
        say(str(tuned.bundle.folder))
    return 0 if tuned.met else WORK_EXIT_CODE
