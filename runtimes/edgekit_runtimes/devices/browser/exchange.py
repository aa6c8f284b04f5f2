"""What passes between a device and its page: one job at a time, and what comes back of it.

The device's thread offers a job and reads its inbox; the server's threads hand the job to the
page and put into the inbox what the page says.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from edgekit_runtimes.devices.browser.files import JobFiles
from edgekit_runtimes.protocol.job import Event


@dataclass(frozen=True)
class Gone:
    """The page or its browser has ended.

    is_certain: the browser itself said so. Otherwise only a connection closed, and the browser
    may have more to say.
    """

    reason: str
    is_certain: bool


@dataclass
class Offer:
    """A job for the page.

    files: those of the job, and the job itself with their addresses.
    inbox: what comes back: events in their order, or word that none will come.
    taken: whether a page has it. over: whether the device ignores what else comes of it.
    """

    number: int
    files: JobFiles
    inbox: queue.SimpleQueue[Event | Gone] = field(default_factory=queue.SimpleQueue)
    taken: bool = False
    over: bool = False


class Finished(Exception):  # noqa: N818 (not an error: no work is left)
    """No more jobs will come."""


class Exchange:
    """One job at a time."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._offer: Offer | None = None
        self._last = 0
        self._polls = 0
        self._is_finished = False

    # --- The device's side ----------------------------------------------------------------------

    def next_number(self) -> int:
        """Return a number for the next job."""
        self._last += 1
        return self._last

    @contextlib.contextmanager
    def offered(self, offer: Offer) -> Iterator[None]:
        """Let a page take the job; on leaving, anything that it still says is refused."""
        with self._condition:
            self._offer = offer
            self._condition.notify_all()
        try:
            yield
        finally:
            with self._condition:
                offer.over = True
                self._offer = None
                self._condition.notify_all()

    def finish(self, patience_s: float) -> None:
        """Tell the pages that ask for a job that there are no more; wait until they know."""
        with self._condition:
            self._is_finished = True
            self._condition.notify_all()
            self._condition.wait_for(lambda: self._polls == 0, patience_s)

    # --- The page's side ------------------------------------------------------------------------

    @contextlib.contextmanager
    def polled(self) -> Iterator[None]:
        """Count a page that asks, until it has its answer."""
        with self._condition:
            self._polls += 1
        try:
            yield
        finally:
            with self._condition:
                self._polls -= 1
                self._condition.notify_all()

    def take(self, patience_s: float, is_gone: Callable[[], bool]) -> Offer | None:
        """Return a job that no page has yet, None if none comes in time.

        is_gone: whether the page that asks is no longer there: a job handed to it would be lost.
        Raises Finished.
        """
        end = time.monotonic() + patience_s
        with self._condition:
            while True:
                if self._is_finished:
                    raise Finished
                if self._offer and not self._offer.taken:
                    if is_gone():
                        return None
                    self._offer.taken = True
                    return self._offer
                left = end - time.monotonic()
                if left <= 0:
                    return None
                self._condition.wait(left)

    def running(self, number: int) -> Offer | None:
        """Return the job of that number, None if it is not the one that a page has."""
        with self._condition:
            offer = self._offer
            return offer if offer and offer.taken and offer.number == number else None

    def say(self, number: int, events: Sequence[Event]) -> bool:
        """Hand events of a job over; return whether anyone still listens."""
        offer = self.running(number)
        if offer is None:
            return False
        for event in events:
            offer.inbox.put(event)
        return True
