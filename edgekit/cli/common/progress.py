"""Progress of long work, on stderr: in place on a terminal, else a line for each new step.

Each step is also where an interruption counts that the code below has lost.
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Callable, Iterator

from edgekit.cli.common.interrupt import check
from edgekit.cli.common.output import say

# Where a step begins to say how far it is.
PLACE = re.compile(r" \(|, \d+ of ")


@contextlib.contextmanager
def status() -> Iterator[Callable[[str], None]]:
    """Show a spinner with the current step; yield the function that says which step it is.

    Without a terminal each step is a line, once: a log shows that the work goes on.
    """
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.text import Text

    from edgekit.text.console import SafeConsole

    with SafeConsole(stderr=True).status("starting") as spinner:

        def show(step: str) -> None:
            check()
            # Not as markup: a step may name what is in a file.
            spinner.update(Text(step))

        yield show


def _lines() -> Callable[[str], None]:
    said: set[str] = set()

    def show(step: str) -> None:
        check()
        # Without how far it is and how long the rest takes: those change with every call.
        name = PLACE.split(step, maxsplit=1)[0]
        if name not in said:
            said.add(name)
            say(step, err=True)

    return show
