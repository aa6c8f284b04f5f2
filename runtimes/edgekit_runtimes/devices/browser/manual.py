"""Any browser may open the page: only its address is printed."""

from __future__ import annotations

import sys

from edgekit_runtimes.devices.browser.opener import ReportEnd
from edgekit_runtimes.protocol.job import Event


class Manual:
    """A page that the user opens; it reloads itself for each job."""

    def __init__(self) -> None:
        self._is_asked = False

    @property
    def lines(self) -> list[str]:
        """Nothing: what its console prints is not known here."""
        return []

    def open(self, url: str, is_timing: bool, ended: ReportEnd) -> None:
        """Print the address on stderr, once."""
        if not self._is_asked:
            # The address on its own line, so that a narrow terminal does not break it.
            text = f"Open this page in the browser to measure, and keep it in front:\n{url}"
            print(text, file=sys.stderr, flush=True)
        self._is_asked = True

    def suits(self, environment: Event) -> bool:
        """Return True: the browser is as it is."""
        return True

    def leave(self, is_done: bool) -> None:
        """Leave the page as it is: it asks for the next job."""

    def close(self) -> None:
        """Do nothing: the server tells the page that all is finished."""
