"""Memory given back to the system between the steps of a conversion."""

from __future__ import annotations

import contextlib
import ctypes
import gc


def give_back_memory() -> None:
    """Collect what is no longer used, and return it to the system.

    TensorFlow's graphs and functions refer to one another in circles, with copies of all weights in
    them, and Python looks for circles by the number of objects, not by what hangs on them. What is
    freed stays with the C library until it is told to return it; only glibc has this call.
    """
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
