"""`edgekit bench`: measure a bundle's artifacts."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from edgekit import api
from edgekit.cli.common.completing import completing
from edgekit.cli.common.gating import Gating, gate_options
from edgekit.cli.common.options import (
    PATH,
    DescribedOption,
    check_file,
    json_option,
    wide_option,
    worker_options,
)
from edgekit.cli.common.output import say_json, stdout_console
from edgekit_runtimes.errors import WORK_EXIT_CODE

EXAMPLES = """
\b
Examples:
  edgekit bench digits.edgekit
  edgekit bench digits.edgekit --glance
  edgekit bench theirs.tflite ours.onnx --data digits.npz
  edgekit bench digits.edgekit --data digits.npz
  edgekit bench digits.edgekit --data digits.npz --thorough --wide
  edgekit bench digits.edgekit --data faces.npz --labels-of box --metric judges:iou
  edgekit bench digits.edgekit --on host --on host:/opt/old/bin/python
  edgekit bench digits.edgekit --on host --on board:pi4 --on board:pi5
  edgekit bench digits.edgekit --on ssh://pi@raspberrypi/home/pi/edgekit/bin/python
  edgekit bench digits.edgekit --on browser:webgl --on browser:wasm
  edgekit bench digits.edgekit --on browser:wasm --engine litertjs --browser /usr/bin/firefox
  edgekit bench digits.edgekit -o results.json
  edgekit bench digits.edgekit --gate 'size<=300KB' --gate 'int8 latency.p90<=5ms'
"""


def _devices_help() -> str:
    return f"Where to measure: {'; '.join(api.ways_to_name_devices())}."


def _engines_help() -> str:
    here, pages = (", ".join(words) for words in api.engines())
    return (
        f"Measure only artifacts that these engines run: {here}; in a browser {pages}. Several "
        "engines of one format are measured beside each other. [default: the one that the device "
        "prefers]"
    )


@click.command("bench", epilog=EXAMPLES)
@click.argument(
    "bundle", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="BUNDLE|ARTIFACT…"
)
@click.option(
    "--on",
    "devices",
    multiple=True,
    default=("host",),
    show_default=True,
    metavar="DEVICE",
    shell_complete=completing(lambda: (device.spec for device in api.devices())),
    cls=DescribedOption,
    describe=_devices_help,
)
@click.option(
    "--engine",
    "engines",
    multiple=True,
    metavar="NAME[,NAME]",
    shell_complete=completing(
        lambda: dict.fromkeys(name for place in api.engines() for name in place)
    ),
    cls=DescribedOption,
    describe=_engines_help,
)
@click.option(
    "--browser",
    metavar="PATH|none",
    help="Which browser to measure in: its path, or none to open the page yourself. [default: the "
    "installed Chromium, without a window]",
)
@click.option(
    "--data",
    metavar="DATA",
    help="Labelled samples for accuracy, apart from calibration: .npz (x_test, y_test, else x, y), "
    "a folder of images with a sub-folder per class, or module:function.",
)
@click.option(
    "--metric",
    metavar="MODULE:FUNCTION",
    help="Your own function that judges instead of top-1 accuracy (class labels) or MAE and RMSE "
    "(real numbers): it gets outputs [n, …] and labels [n, …] and returns one number per sample, "
    "or one for all of them. Higher is better, except for names that end in _error, _loss or "
    "_distance.",
)
@click.option(
    "--labels-of", metavar="OUTPUT", help="Which of several outputs the labels are about."
)
@click.option(
    "--original",
    type=click.Path(path_type=Path),
    help="The source to measure against. [default: the one the bundle was made from, if it is "
    "still there]",
)
@click.option(
    "--glance",
    "plan",
    flag_value="glance",
    help="A first look in about ten seconds for a few small models: one process, nine runs of each "
    "model, wide intervals.",
)
@click.option(
    "--quick",
    "plan",
    flag_value="quick",
    default="quick",
    help="At least 50 runs and 1 s of each model, over 4 processes; fewer runs of models that take "
    "over a second. [default]",
)
@click.option(
    "--thorough",
    "plan",
    flag_value="thorough",
    help="At least 1,024 runs and 60 s of each model, over 5 processes: two minutes per artifact.",
)
@worker_options
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True)
@click.option(
    "--clean",
    is_flag=True,
    help="Leave nothing on devices over SSH: empty ~/.cache/edgekit/device there before and after.",
)
@click.option(
    "-o",
    "--output",
    type=PATH,
    help="Write the results to this file as well, for edgekit report, check and compare.",
)
@wide_option
@gate_options
@json_option
def command(
    bundle: tuple[Path, ...],
    devices: tuple[str, ...],
    engines: tuple[str, ...],
    browser: str | None,
    data: str | None,
    metric: str | None,
    labels_of: str | None,
    original: Path | None,
    plan: Literal["glance", "quick", "thorough"],
    threads: int,
    clean: bool,
    memory: str | None,
    time_limit: float | None,
    output: Path | None,
    wide: bool,
    gating: Gating,
    as_json: bool,
) -> int:
    """Measure the artifacts of BUNDLE and compare them with their fp32 artifact and the original.

    Each artifact runs beside the fp32 artifact of its format in the same process, in turns, over
    several fresh processes. The ratio comes with a 95 % interval. An emulated board counts
    instructions instead: five runs, with their minimum and maximum. In a browser a process is
    a fresh page, and a run ends when the page has read the outputs back.

    Artifacts that no bundle holds can be given as well: .tflite and .onnx files and TF.js folders.
    There is no original then: they are compared with the first one in plain float32.
    """
    from edgekit.cli.common.progress import status
    from edgekit.files import check_writable
    from edgekit.report.terminal.tables import print_results

    if output is not None:
        # Before any work.
        check_file("-o", output)
        check_writable(output.parent)
    with status() as report:
        results = api.bench(
            bundle,
            on=devices,
            engine=engines,
            browser=browser,
            data=data,
            metric=metric,
            labels_of=labels_of,
            original=original,
            plan=plan,
            threads=threads,
            clean=clean,
            memory=memory,
            time_limit=time_limit,
            progress=report,
        )
    if as_json:
        say_json(results.to_text())
    else:
        print_results(results, stdout_console(), wide)
    if output is not None:
        results.save(output)
    gates_code = gating.judge(results)
    return WORK_EXIT_CODE if results.failed else gates_code
