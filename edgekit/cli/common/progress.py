"""Progress of long work: on stderr, and only where it is a terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def status() -> Iterator[Callable[[str], None]]:
    """Show a spinner with the current step; yield the function that says which step it is."""
    if not sys.stderr.isatty():
        yield lambda step: None
        return
    from rich.console import Console

    with Console(stderr=True).status("starting") as spinner:
        yield lambda step: spinner.update(step)
