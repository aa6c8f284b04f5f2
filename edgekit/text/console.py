"""The one console: what is printed through it cannot command the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.segment import Segment

from edgekit_runtimes.printable import printable


class SafeConsole(Console):
    """A console that shows control characters of what it is given; its own are its colours."""

    def on_broken_pipe(self) -> None:
        """Leave it to the command line: rich would end the program here, with code 1."""
        raise BrokenPipeError

    def render(self, *args: Any, **options: Any) -> Iterator[Segment]:
        """Yield what is printed, piece by piece."""
        for segment in super().render(*args, **options):
            if segment.control:
                yield segment
            else:
                yield Segment(printable(segment.text), segment.style)
