"""Where results go: stdout, with colour only on a terminal and no line cut off in a pipe."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

from edgekit.text.plain import PIPE_WIDTH


def stdout_console() -> Console:
    """Return the console that results are printed to."""
    from rich.console import Console

    return Console(soft_wrap=True, width=None if sys.stdout.isatty() else PIPE_WIDTH)


def print_json(value: Any, indent: int = 0) -> None:
    """Print the JSON form of a value, on one line, or indented by this many blanks per level."""
    from edgekit.forms import encode

    click.echo(encode(value, indent).decode())
