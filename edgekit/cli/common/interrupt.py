"""Ctrl-C and SIGTERM: one short message and exit code 130 or 143, wherever they come."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType, TracebackType
from typing import NoReturn, Protocol

# What a shell says of a program that a signal ended: this plus the signal's number.
SIGNAL_BASE = 128
# Of a program whose output went into a pipe that closed early (| head): quiet, as users of a shell
# expect, and what a shell reports of programs that SIGPIPE ends.
BROKEN_PIPE_EXIT_CODE = SIGNAL_BASE + signal.SIGPIPE
INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM)

# Long enough to be out of the finalizer that swallowed a Ctrl-C, too short to be noticed.
AGAIN_S = 0.01

# The number of the signal that interrupted this program, 0 while none has.
_received = 0


class _Unraisable(Protocol):
    """What `sys.unraisablehook` is called with, as far as it is needed here."""

    @property
    def exc_type(self) -> type[BaseException]: ...

    @property
    def exc_traceback(self) -> TracebackType | None: ...


def take_over(debug: bool) -> None:
    """Make SIGTERM a Ctrl-C, and make sure that none is lost.

    A KeyboardInterrupt that is raised in a finalizer (TensorFlow has many) is printed and dropped
    by Python or by the library, and the work would go on: it is raised again a moment later, and
    where that is dropped too, at the next step (`check`).
    """
    for number in INTERRUPTIONS:
        # A shell starts what it puts into the background with Ctrl-C ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    show, show_uncaught = sys.unraisablehook, sys.excepthook

    def hook(unraisable: _Unraisable) -> None:
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, AGAIN_S)
        elif debug:
            show(unraisable)  # type: ignore[arg-type]

    def hook_of_libraries(
        kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, AGAIN_S)
        else:
            show_uncaught(kind, error, traceback)

    sys.unraisablehook = hook
    sys.excepthook = hook_of_libraries


def _interrupt(number: int, _: FrameType | None) -> NoReturn:
    global _received
    _received = number
    raise KeyboardInterrupt


def check() -> None:
    """Raise KeyboardInterrupt if one was lost."""
    if _received:
        raise KeyboardInterrupt


def forget() -> None:
    """Take an interruption for what the user ends a command with that has no other end."""
    global _received
    _received = 0


def was_lost(exit_code: int) -> bool:
    """Return whether a command that ends with this code was interrupted and does not say so."""
    return bool(_received) and exit_code != interrupted_exit_code()


def interrupted_exit_code() -> int:
    """Return the exit code for the interruption that came, or that of Ctrl-C."""
    return SIGNAL_BASE + (_received or signal.SIGINT)


def leave(exit_code: int) -> NoReturn:
    """End the process with this exit code, even where Ctrl-C comes now or has come.

    Where a KeyboardInterrupt passed through an `exec`, Python would end itself with a signal and
    not with the code that it is given.
    """
    for number in INTERRUPTIONS:
        signal.signal(number, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        exit_code = BROKEN_PIPE_EXIT_CODE
    if exit_code > SIGNAL_BASE:
        from edgekit_runtimes.owned.folder import remove_temporary

        remove_temporary()
        os._exit(exit_code)
    sys.exit(exit_code)
