"""The time that a search may take."""

from __future__ import annotations

import time
from collections.abc import Callable

# What is left for judging the finalists and writing the winners.
SHARE_AFTER = 0.2


class Budget:
    """A span of time, of which a search asks whether there is enough for one thing more.

    seconds: None where it may take as long as it likes. clock: seconds that only grow.
    """

    def __init__(self, seconds: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started = clock()
        self._seconds = seconds
        self._spent = 0.0
        self._count = 0

    def affordable(self, wanted: int) -> int:
        """Return how many of the candidates wanted there is time for, going by those so far."""
        left = self.left()
        if left is None:
            return wanted
        if left <= 0:
            return 0
        if not self._count:
            # Nothing is known yet. One batch has to be tried.
            return wanted
        return min(wanted, int(left / (self._spent / self._count)))

    def left(self) -> float | None:
        """Return the seconds that are left for the search; None where there is no end."""
        if self._seconds is None:
            return None
        return self._seconds * (1 - SHARE_AFTER) - (self._clock() - self._started)

    def took(self, seconds: float, candidates: int) -> None:
        """Note how long candidates took that were made and measured."""
        self._spent += seconds
        self._count += candidates

    def now(self) -> float:
        """Return the clock's seconds."""
        return self._clock()
