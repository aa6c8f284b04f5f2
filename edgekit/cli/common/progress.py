"""Progress of long work: on stderr, and only where it is a terminal.

Each step is also where an interruption counts that the code below has lost.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

from edgekit.cli.common.interrupt import check


@contextlib.contextmanager
def status() -> Iterator[Callable[[str], None]]:
    """Show a spinner with the current step; yield the function that says which step it is."""
    if not sys.stderr.isatty():
        yield lambda step: check()
        return
    from rich.text import Text

    from edgekit.text.console import SafeConsole

    with SafeConsole(stderr=True).status("starting") as spinner:

        def show(step: str) -> None:
            check()
            # Not as markup: a step may name what is in a file.
            spinner.update(Text(step))

        yield show
