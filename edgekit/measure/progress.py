"""How far a bench is, for whoever shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """How far a bench is on one device: `done` of `total` worker processes, and what runs now.

    left_s: about how many seconds the rest on this device takes; None where nobody knows.
    """

    device: str
    done: int
    total: int
    text: str
    left_s: float | None = None


ReportProgress = Callable[[Progress], None]
# (done, total, what runs now) on the device at hand
ReportStep = Callable[[int, int, str], None]
