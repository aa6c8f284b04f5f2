"""`edgekit bench`: measure a bundle's artifacts."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from pathlib import Path

import click

from edgekit.cli.options import json_option
from edgekit.cli.output import stdout_console

EXAMPLES = """
\b
Examples:
  edgekit bench digits.edgekit
  edgekit bench digits.edgekit --data digits.npz
  edgekit bench digits.edgekit --on host --on host:/opt/old/bin/python
  edgekit bench digits.edgekit --on host --on board:pi4 --on board:pi5
  edgekit bench digits.edgekit --on ssh://pi@raspberrypi/home/pi/edgekit/bin/python
  edgekit bench digits.edgekit --json > results.json
"""


@click.command("bench", epilog=EXAMPLES)
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option(
    "--on",
    "devices",
    multiple=True,
    default=("host",),
    show_default=True,
    metavar="DEVICE",
    help="Where to measure: host, host:/path/to/python for the engines of another Python, "
    "ssh://[user@]host[:port][/path/to/python] for a device over SSH, or board:pi3, board:pi4, "
    "board:pi5 to count instructions on an emulated Raspberry Pi.",
)
@click.option(
    "--data",
    metavar="DATA",
    help="Labelled samples for accuracy, apart from calibration: .npz (x_test, y_test, else x, y), "
    "a folder of images with a sub-folder a class, or module:function.",
)
@click.option(
    "--original",
    type=click.Path(path_type=Path),
    help="The source to measure against. [default: the one the bundle was made of, where it is "
    "still there]",
)
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True)
@click.option(
    "--clean",
    is_flag=True,
    help="Leave nothing on devices over SSH: empty ~/.cache/edgekit/device there before and after.",
)
@json_option
def command(
    bundle: Path,
    devices: tuple[str, ...],
    data: str | None,
    original: Path | None,
    threads: int,
    clean: bool,
    as_json: bool,
) -> int:
    """Measure the artifacts of BUNDLE and compare them with their fp32 artifact and the original.

    Each artifact runs beside the fp32 artifact of its format in the same process, in turns, over
    three fresh processes. The ratio comes with a 95 % interval. An emulated board counts
    instructions instead: five runs, between their least and their most.
    """
    from edgekit.bench.request import bench_request
    from edgekit.bench.run import run_bench
    from edgekit.bundle import load_bundle
    from edgekit.cli.progress import status
    from edgekit.report.terminal import print_results

    opened = load_bundle(bundle)
    with status() as report, tempfile.TemporaryDirectory() as work:
        request = bench_request(opened, Path(work), devices, data, original, threads)
        results = run_bench(
            dataclasses.replace(request, clean=clean),
            lambda step: report(f"{step.device}: {step.text} ({step.done} of {step.total})"),
        )
    if as_json:
        click.echo(json.dumps(results.to_json()))
    else:
        print_results(results, stdout_console())
    return 3 if results.failed else 0
