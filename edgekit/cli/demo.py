"""`edgekit demo`: a static site in which visitors try a bundle's artifacts."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit import api
from edgekit.cli.common import interrupt
from edgekit.cli.common.options import PATH, json_option
from edgekit.cli.common.output import print_json, say

EXAMPLES = """
\b
Examples:
  edgekit demo digits.edgekit -o site/
  edgekit demo digits.edgekit -o site/ --serve
  edgekit demo theirs.tflite
  edgekit demo digits.edgekit -o public/digits --force --json
"""


@click.command("demo", epilog=EXAMPLES)
@click.argument("bundle", type=PATH, nargs=-1, required=True, metavar="BUNDLE|ARTIFACT…")
@click.option(
    "-o",
    "--output",
    "folder",
    type=PATH,
    default="site",
    show_default=True,
    help="Where to write the site. A site that edgekit wrote there before is replaced.",
)
@click.option("--force", is_flag=True, help="Replace the folder, whatever is in it.")
@click.option("--serve", is_flag=True, help="Then serve the site on this machine until Ctrl-C.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="The port for --serve; 0 takes any free one.",
)
@json_option
def command(
    bundle: tuple[Path, ...], folder: Path, force: bool, serve: bool, port: int, as_json: bool
) -> None:
    """Write a static site that runs BUNDLE's artifacts in the visitor's own browser.

    Artifacts that no bundle holds can be given as well: .tflite and .onnx files and TF.js folders.

    Visitors draw, choose an image or film, see the prediction, how fast each artifact is on their
    machine, and how large it is. Nothing leaves that machine. The folder can be copied to any web
    host: all its paths are relative.
    """
    from edgekit.text.units import BYTE_UNITS, pick_unit, significant

    site = api.demo(bundle, folder, force=force)
    if as_json:
        print_json(site)
    else:
        unit = pick_unit([site.bytes], BYTE_UNITS)
        say(
            f"{folder}: {len(site.artifacts)} artifacts, {site.samples} samples, engines "
            f"{', '.join(site.engines)}; {significant(site.bytes / unit.size)} {unit.word} on disk"
        )
    if not as_json and not serve:
        say(f"Look at it with: python -m http.server --directory {folder}")
    if serve:
        # Ctrl-C is how that ends, and not an interruption.
        api.serve(folder, port, lambda url: say(f"{url}  (Ctrl-C ends it)", err=True))
        interrupt.forget()
