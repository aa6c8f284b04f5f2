"""What is inside a bundle: the one rule by which everything opens or copies what is in it.

A bundle may come from anyone. A member is a regular file, or a folder of regular files, at a plain
relative path: no link leads out of it, and nothing that is opened can be a pipe or a device.
"""

from __future__ import annotations

import stat
from pathlib import Path, PurePosixPath

import numpy as np

from edgekit.data.npy import read_header
from edgekit_runtimes.errors import ArtifactError
from edgekit_runtimes.tensors import Array

# Golden samples are 8 MB, or one sample that is larger; a sample of 1 GB fits no device.
MAX_ARRAY_BYTES = 1_000_000_000


def member(folder: Path, path: str) -> Path | None:
    """Return the place of a member, which need not exist; None if it is not inside.

    path: relative to the bundle, as the manifest says it. Raises ArtifactError if it is, or passes
    through, what is neither a file nor a folder.
    """
    pure = PurePosixPath(path)
    # PurePosixPath drops "." and doubled slashes, which no path of ours has.
    if pure.is_absolute() or ".." in pure.parts or str(pure) != path or path in ("", "."):
        return None
    place = folder.resolve()
    for part in pure.parts:
        place /= part
        check_regular(place)
    if place.is_dir():
        for inner in place.rglob("*"):
            check_regular(inner)
    return place


def check_regular(path: Path) -> None:
    """Raise ArtifactError if something is there and is neither a file nor a folder, as a link."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path} cannot be read: {error}.") from error
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        what = "a link" if stat.S_ISLNK(mode) else "no regular file"
        raise ArtifactError(f"{path} is {what}. Put the file itself there.")


def load_array(folder: Path, path: str) -> Array:
    """Return the array of a .npy member.

    Raises ArtifactError if it is not inside, damaged, or says it is larger than it is.
    """
    place = member(folder, path)
    if place is None:
        raise ArtifactError(f"{path} is not inside")
    try:
        with place.open("rb") as file:
            header, size = read_header(file), place.stat().st_size
            if header.offset + header.bytes != size:
                raise ValueError(
                    f"its header promises {header.bytes} bytes and {size - header.offset} are there"
                )
            if header.bytes > MAX_ARRAY_BYTES:
                raise ValueError(f"it is larger than {MAX_ARRAY_BYTES // 10**6} MB")
            file.seek(0)
            array: Array = np.load(file, allow_pickle=False)
            return array
    except (OSError, ValueError, MemoryError) as error:
        raise ArtifactError(f"{path}: {error or type(error).__name__}") from error
