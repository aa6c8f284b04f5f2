"""Where results go: stdout, with colour only on a terminal and no line cut off in a pipe."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

# Wide enough for every table: what reads a pipe should not meet lines cut to 80 columns.
PIPE_WIDTH = 200


def stdout_console() -> Console:
    """Return the console that results are printed to."""
    from rich.console import Console

    return Console(soft_wrap=True, width=None if sys.stdout.isatty() else PIPE_WIDTH)
