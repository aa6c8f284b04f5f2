"""A .pt2 file as a container: an archive that holds no more than it declares."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

from edgekit_runtimes.errors import SourceError, first_line

# torch.export stores members as they are; what declares more than both of these was compressed by
# hand, and is not unpacked: deflate gets a thousand times as much out of nothing.
MOST_EXPANSION = 20
MOST_BYTES = 100_000_000
FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError)


def check_container(path: Path) -> None:
    """Raise SourceError where a file is no archive, is damaged, or would fill the memory."""
    try:
        with zipfile.ZipFile(path) as archive:
            declared = sum(member.file_size for member in archive.infolist())
            if declared > max(MOST_BYTES, MOST_EXPANSION * path.stat().st_size):
                raise SourceError(
                    f"{path} has {path.stat().st_size / 1e6:,.1f} MB and declares "
                    f"{declared / 1e9:,.1f} GB: it is not unpacked. Get the file again."
                )
            damaged = archive.testzip()
    except FAULTS as error:
        raise SourceError(
            f"{path} is not a .pt2 file, is damaged or cut off: {first_line(error)}. Get it again."
        ) from error
    if damaged:
        raise SourceError(
            f"{path} is damaged: its member '{damaged}' does not match its checksum. Get it again."
        )
