"""The one way out of all that is printed: text, JSON and tables.

Colour only on a terminal. In a pipe no line is wrapped, except where COLUMNS says how wide it is.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

from edgekit.text.plain import PIPE_WIDTH
from edgekit_runtimes.printable import printable, printable_json


def stdout_console() -> Console:
    """Return the console that results are printed to."""
    from edgekit.text.console import SafeConsole

    if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdecimal():
        # rich reads COLUMNS itself.
        return SafeConsole()
    return SafeConsole(soft_wrap=True, width=PIPE_WIDTH)


def print_json(value: Any, indent: int = 0) -> None:
    """Print the JSON form of a value, on one line, or indented by this many blanks per level."""
    from edgekit.forms import encode

    say_json(encode(value, indent).decode())


def say(text: str = "", err: bool = False) -> None:
    """Print text, on stderr if `err`: whatever it holds, it cannot command the terminal."""
    click.echo(printable(text), err=err)


def say_json(text: str) -> None:
    """Print JSON text."""
    click.echo(printable_json(text))
