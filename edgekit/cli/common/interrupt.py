"""Ctrl-C: one short message and exit code 130, wherever it comes."""

from __future__ import annotations

import os
import signal
import sys
from types import TracebackType
from typing import NoReturn, Protocol

INTERRUPTED_EXIT_CODE = 130

# Long enough to be out of the finalizer that swallowed a Ctrl-C, too short to be noticed.
AGAIN_S = 0.01


class _Unraisable(Protocol):
    """What `sys.unraisablehook` is called with, as far as it is needed here."""

    @property
    def exc_type(self) -> type[BaseException]: ...

    @property
    def exc_traceback(self) -> TracebackType | None: ...


def take_over(debug: bool) -> None:
    """Make SIGTERM a Ctrl-C, and make sure that none is lost.

    A KeyboardInterrupt that is raised in a finalizer (TensorFlow has many) is printed and dropped
    by Python, and the work would go on: it is raised again a moment later.
    """
    # `timeout` and service managers end programs with SIGTERM: clean up as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    show = sys.unraisablehook

    def hook(unraisable: _Unraisable) -> None:
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, AGAIN_S)
        elif debug:
            show(unraisable)  # type: ignore[arg-type]

    sys.unraisablehook = hook


def leave(exit_code: int) -> NoReturn:
    """End the process with this exit code, even where Ctrl-C comes now or has come.

    Where a KeyboardInterrupt passed through an `exec`, Python would end itself with a signal and
    not with the code that it is given.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout.flush()
    sys.stderr.flush()
    if exit_code == INTERRUPTED_EXIT_CODE:
        from edgekit_runtimes.owned.folder import remove_temporary

        remove_temporary()
        os._exit(exit_code)
    sys.exit(exit_code)
