"""Progress of long work: on stderr, and only where it is a terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator


def time_left(seconds: float | None) -> str:
    """Return ", about 3 min left", ready to stand behind something; "" where nobody knows.

    Example:
        >>> time_left(40), time_left(190), time_left(7_500)
        (', about 40 s left', ', about 3 min left', ', about 2 h 05 min left')
    """
    if seconds is None:
        return ""
    minutes = round(seconds / 60)
    if seconds < 100:
        text = f"{round(seconds)} s"
    else:
        text = f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"
    return f", about {text} left"


@contextlib.contextmanager
def status() -> Iterator[Callable[[str], None]]:
    """Show a spinner with the step at hand; yield the function that says which step it is."""
    if not sys.stderr.isatty():
        yield lambda step: None
        return
    from rich.console import Console

    with Console(stderr=True).status("starting") as spinner:
        yield lambda step: spinner.update(step)
