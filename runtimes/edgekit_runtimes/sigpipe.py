"""SIGPIPE, when it must not end the program: threads that write to what others may close."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator


def block_sigpipe() -> None:
    """Make a write of this thread, and of those it starts, to what has closed raise an error.

    The command line lets SIGPIPE end the program, because of `| head`.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPIPE})


@contextlib.contextmanager
def without_sigpipe() -> Iterator[None]:
    """Let writes to what has closed raise BrokenPipeError within, as `block_sigpipe` does."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPIPE})
    try:
        yield
    finally:
        # A signal that came meanwhile would take effect as soon as it is unblocked.
        signal.sigtimedwait({signal.SIGPIPE}, 0)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
