"""How far a bench is, for any display."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """How far a bench is on one device: `done` of `total` worker processes, and what runs now.

    left_s: about how many seconds the rest on this device takes; None if it is not known.

    Example:
        >>> print(Progress("host", 3, 12, "timing tflite/int8", 40))
        host: timing tflite/int8 (3 of 12, about 40 s left)
    """

    device: str
    done: int
    total: int
    text: str
    left_s: float | None = None

    def __str__(self) -> str:
        return f"{self.device}: {self.text} ({self.done} of {self.total}{time_left(self.left_s)})"


ReportProgress = Callable[[Progress], None]
# (done, total, what runs now) on the current device
ReportStep = Callable[[int, int, str], None]


def time_left(seconds: float | None) -> str:
    """Return ", about 3 min left", ready to be appended to something; "" if it is not known.

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
