"""`edgekit board`: build, list and remove emulated boards."""

from __future__ import annotations

import json

import click

from edgekit import api
from edgekit.cli.common.options import json_option
from edgekit.cli.common.output import say, say_json

EXAMPLES = """
\b
Examples:
  edgekit board build pi5
  edgekit board list
  edgekit board clean
"""


@click.group("board", epilog=EXAMPLES)
def command() -> None:
    """Build, list and remove the emulated boards that `bench --on board:pi5` counts on.

    A board is Debian's kernel and Python for ARM64 with the engines, booted by QEMU. All boards
    share what is built; it is kept in the user's cache folder.
    """


@command.command("build")
@click.argument("boards", nargs=-1, required=True, metavar="BOARD...")
def build(boards: tuple[str, ...]) -> None:
    """Build BOARD: pi3, pi4 or pi5.

    Fetches what is missing with apt-get and pip, without root and without touching the system's
    packages. What is already complete is left as it is. `bench` does the same on first use.
    """
    from edgekit.cli.common.progress import status

    with status() as report:
        userland = api.build_boards(boards, report)
    engines = ("ai-edge-litert", "onnxruntime", "numpy")
    versions = ", ".join(f"{name} {userland.packages[name]}" for name in engines)
    for name in boards:
        say(f"board:{name} is ready: Python {userland.python}, {versions}")
    say(f"{userland.bytes / 1e6:.0f} MB in {userland.folder}, for all boards")


@command.command("list")
@json_option
def list_boards(as_json: bool) -> None:
    """Show all boards, and whether they are built."""
    state = api.boards()
    if as_json:
        forms = [
            {
                "name": f"board:{board.name}",
                "title": board.title,
                "cpu": board.cpu,
                "ready": state.userland is not None,
                "reason": state.reason,
            }
            for board in state.boards
        ]
        say_json(json.dumps(forms, indent=2))
        return
    for board in state.boards:
        word = "ready" if state.userland else state.reason
        say(f"board:{board.name}  {board.title}  {board.cpu}  {word}")
    if state.userland:
        say(f"{state.userland.bytes / 1e6:.0f} MB in {state.userland.folder}")
    else:
        say("Build one with: edgekit board build pi5")


@command.command("clean")
def clean() -> None:
    """Remove what was built and fetched for all boards."""
    freed, folder = api.clean_boards()
    say(f"{freed / 1e6:.0f} MB removed from {folder}")
