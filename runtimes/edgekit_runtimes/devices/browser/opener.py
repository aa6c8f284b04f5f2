"""How a browser gets to the page: what the three ways have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from edgekit_runtimes.protocol.job import Event

# Called, from any thread, with why the page or its browser has ended.
ReportEnd = Callable[[str], None]


class Opener(Protocol):
    """Brings a browser to the page."""

    @property
    def lines(self) -> list[str]:
        """What the browser or the page's console printed last."""

    def open(self, url: str, is_timing: bool, ended: ReportEnd) -> None:
        """Make sure that a page at this address asks for its job.

        is_timing: whether the job measures. Raises DeviceError if no browser starts.
        """

    def suits(self, environment: Event) -> bool:
        """Return whether the page has what the device needs.

        Otherwise it must be left and opened again, and will be another one then.
        """

    def leave(self, is_done: bool) -> None:
        """The job is over: leave the page, and end its browser too if the page is not done."""

    def close(self) -> None:
        """End the browser that was started, and remove its profile."""
