"""A lock on a place that one run writes at a time, released by the kernel when its holder dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from edgekit_runtimes.errors import EdgekitError, UsageError


@contextlib.contextmanager
def place_lock(place: Path, wait: Callable[[], None] | None) -> Iterator[None]:
    """Hold a place (a folder, whether it exists or not) for this run alone.

    wait: called where another run has it, before waiting for that; None ends with a UsageError
    instead. Raises EdgekitError where the file system has no locks.
    """
    place = place.resolve()
    with _made(place.parent), contextlib.ExitStack() as stack:
        while True:
            descriptor, file = _opened(place)
            stack.callback(os.close, descriptor)
            try:
                _take(descriptor, place, wait)
                # Who held it may have removed the file: the lock on it is no one's then.
                if file is None or os.path.samestat(os.fstat(descriptor), file.stat()):
                    break
            except FileNotFoundError:
                pass
            stack.pop_all().close()
        try:
            yield
        finally:
            if file is not None:
                file.unlink(missing_ok=True)


def _opened(place: Path) -> tuple[int, Path | None]:
    """Return what is locked: a file beside the place, or the place where none can be made."""
    file = place.with_name(f".{place.name}.lock")
    try:
        return os.open(file, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o666), file
    except OSError:
        if not place.is_dir():
            raise
        return os.open(place, os.O_RDONLY), None


def _take(descriptor: int, place: Path, wait: Callable[[], None] | None) -> None:
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if wait is None:
                raise UsageError(
                    f"{place} is being written by another run. Leave out --no-wait to wait for it, "
                    "or choose another place with -o."
                ) from None
            wait()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        raise EdgekitError(
            f"{place} cannot be locked ({error.strerror}). Choose a place on another file system "
            "with -o."
        ) from error


@contextlib.contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Make a folder with those above it; those that hold nothing at the end are removed again."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        for path in missing:
            with contextlib.suppress(OSError):
                path.rmdir()
