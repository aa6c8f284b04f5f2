"""Memory given back to the system between the steps of a conversion."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
from pathlib import Path

# Looking for what is no longer used takes a quarter of a second, which models of less never need.
WORTH_BYTES = 64 * 2**20

_held = 0


def give_back_memory() -> None:
    """Collect what is no longer used, where the process has grown, and return it to the system.

    TensorFlow's graphs and functions refer to one another in circles, with copies of all weights in
    them, and Python looks for circles by the number of objects, not by what hangs on them. What is
    freed stays with the C library until it is told to return it; only glibc has this call.
    """
    global _held
    if _memory() - _held < WORTH_BYTES:
        return
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    _held = _memory()


def _memory() -> int:
    """Return how many bytes this process has in memory; more than before where that is unknown."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return _held + WORTH_BYTES
