"""Writing: a file appears whole or not at all, and a disk that refuses is one clear error."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from edgekit_runtimes.errors import EdgekitError, UsageError

if TYPE_CHECKING:
    from edgekit_runtimes.tensors import Array

# What a full or failing disk says: anything written next fails as well.
DISK_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place and rename it."""
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write_npy(path: Path, array: Array) -> None:
    """Write a .npy file.

    Not by `np.save` itself, whose OSError on a full disk does not say so.
    """
    import numpy as np

    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.getvalue())


def remove(path: Path) -> None:
    """Remove a file or a folder, if there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def check_writable(path: Path) -> None:
    """Raise UsageError if `path` cannot be made: its folder is a file or is not writable."""
    place = path
    while not place.exists():
        place = place.parent
    if not place.is_dir():
        raise UsageError(f"{path} cannot be made: {place} is a file. Choose another place with -o.")
    if not os.access(place, os.W_OK | os.X_OK):
        raise UsageError(
            f"{path} cannot be made: no permission to write in {place.resolve()}. "
            "Choose another place with -o."
        )


def disk_fault(error: BaseException | None) -> OSError | None:
    """Return the error of a full or read-only disk that an exception was raised from, or None."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in DISK_ERRNOS:
            return error
        error = error.__cause__ or error.__context__
    return None


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the disk refuses, in here, into one error about `path`."""
    try:
        yield
    except (EdgekitError, OSError) as error:
        fault = disk_fault(error) or error
        if not isinstance(fault, OSError):
            raise
        raise EdgekitError(
            f"{path} could not be written: {fault.strerror or fault}. Make room or choose another "
            "place with -o, and run the same command again: what was finished is kept."
        ) from error
