"""What is printed, as text: for those who look at an object instead of a terminal."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

# Wide enough for every table: what reads a pipe should not get lines cut to 80 columns.
PIPE_WIDTH = 200


def as_text(print_it: Callable[[Console], None]) -> str:
    """Return what a function prints to a console, without colour and without blanks at the end."""
    from edgekit.text.console import SafeConsole

    stream = io.StringIO()
    print_it(SafeConsole(file=stream, width=PIPE_WIDTH, soft_wrap=True))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())
