"""Writing: a file appears whole or not at all, and a disk that refuses is one clear error."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from edgekit_runtimes.errors import EdgekitError, UsageError
from edgekit_runtimes.owned.folder import OwnFolder, sweep

if TYPE_CHECKING:
    from edgekit_runtimes.tensors import Array

Result = TypeVar("Result")

# What a full or failing disk says: anything written next fails as well.
DISK_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place and rename it."""
    with beside(path) as folder:
        partial = folder / path.name
        partial.write_bytes(content)
        partial.replace(path)


@contextlib.contextmanager
def beside(path: Path) -> Iterator[Path]:
    """Yield a folder of this run beside a place, for what is to be moved there.

    What dead runs left beside it is removed first.
    """
    # Not resolved where it has a name: a link is replaced, and not what it leads to.
    place = path if path.name not in ("", "..") else path.resolve()
    prefix = f".{place.name}.partial-"
    sweep(place.parent, prefix)
    with OwnFolder(place.parent, prefix) as folder:
        yield folder.path


def write_folder(place: Path, write: Callable[[Path], Result]) -> Result:
    """Write a folder whole or not at all; what was at its place is removed.

    write: called with the folder, which is not there yet, where it is made.
    """
    with beside(place) as work:
        result = write(work / "new")
        _move_away(place, work)
        (work / "new").rename(place)
    return result


def write_npy(path: Path, array: Array) -> None:
    """Write a .npy file.

    Not by `np.save` itself, whose OSError on a full disk does not say so.
    """
    import numpy as np

    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.getvalue())


def discard(path: Path) -> None:
    """Remove a file or a folder, if there is one: whole, or not at all."""
    with beside(path) as work:
        _move_away(path, work)


def _move_away(path: Path, work: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        path.rename(work / "old")


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
